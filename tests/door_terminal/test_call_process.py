"""A real door over a real link: who rings is seen at the desk, and told what comes of it."""

import secrets
from pathlib import Path

import cv2
import numpy as np
import pytest

from door_terminal.calls import GONE_S
from door_terminal.wire import read
from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import Door, furnish, in_step, running_door
from tests.door_terminal.samples import configured
from tier_link.errors import RequestFailed
from tier_link.estate_messages import (
    ESTATE,
    CallRefused,
    EstateMessage,
    OpeningAnswer,
    OpeningNonce,
    OpeningWanted,
    RemoteOpening,
)

STAFF = "5" * 32
ENTRY = "e" * 32


def ask(estate: Estate, question: EstateMessage) -> bytes:
    assert estate.link is not None
    return estate.link.request(ESTATE.kind(question), ESTATE.encode(question), 10.0)


def refused(estate: Estate, question: EstateMessage) -> str:
    with pytest.raises(RequestFailed) as refusal:
        ask(estate, question)
    return refusal.value.code


def nonce(estate: Estate) -> str:
    return read(OpeningNonce, ask(estate, OpeningWanted())).nonce


def rings(estate: Estate, call: str) -> None:
    eventually(lambda: estate.calls and estate.calls[-1].call == call)


def test_a_call_from_the_page_is_heard_and_its_first_answer_counts(
    estate: Estate, data: Path
) -> None:
    estate.configure(configured())
    with running_door(data) as door:
        in_step(estate)
        told = door.ring()
        call = told["call"]
        assert told["state"] == "ringing"
        assert told["message"]["en"].startswith("Calling the guard")
        rings(estate, call)
        assert estate.calls[-1].still == b""  # there is no camera
        drawn = nonce(estate)
        order = RemoteOpening(drawn, STAFF, call)
        assert refused(estate, RemoteOpening(drawn, STAFF, "0" * 32)) == "call-over"
        assert read(OpeningAnswer, ask(estate, order)).gate == ""
        assert refused(estate, order) == "call-taken"
        assert refused(estate, CallRefused(call, ENTRY, STAFF, "desk")) == "call-taken"
        assert door.state()["call"]["state"] == "opened"
        rings(estate, "")
        eventually(lambda: len(estate.entries) == 1)
        (entry,) = estate.entries
        assert (entry.entry, entry.by, entry.granted) == (drawn, STAFF, True)
        assert door.openings() == [drawn]
        assert door.stop() == 0


def test_a_wired_button_rings_and_a_refusal_is_read_at_the_door(estate: Estate, data: Path) -> None:
    estate.configure(configured())
    with running_door(data, input_call="simulated") as door:
        in_step(estate)
        door.wire(call=True)
        eventually(lambda: door.state()["call"]["state"] == "ringing")
        call = door.state()["call"]["call"]
        rings(estate, call)
        ask(estate, CallRefused(call, ENTRY, STAFF, "other-door"))
        told = door.state()["call"]
        assert (told["state"], told["message"]["en"]) == ("refused", "Please use another entrance.")
        assert told["message"]["zh-CN"] == "请走其他入口。"
        eventually(lambda: len(estate.entries) == 1)
        (entry,) = estate.entries
        assert (entry.entry, entry.reason, entry.by) == (ENTRY, "refused-by-staff", STAFF)
        assert door.openings() == []
        # A code that a newer server made up is told in general words.
        door.wire(call=False)
        eventually(lambda: door.state()["inputs"]["call"] is False)
        door.wire(call=True)
        eventually(lambda: door.state()["call"]["state"] == "ringing")
        call = door.state()["call"]["call"]
        ask(estate, CallRefused(call, secrets.token_hex(16), STAFF, "a-later-word"))
        assert door.state()["call"]["message"]["en"].startswith("The guard cannot let you in here")


def test_who_gives_up_rings_no_more_and_who_cannot_be_heard_is_told(
    estate: Estate, data: Path
) -> None:
    estate.configure(configured())
    with running_door(data) as door:
        in_step(estate)
        call = door.ring()["call"]
        rings(estate, call)
        assert door.cancel(call)["state"] == "cancelled"
        rings(estate, "")
        assert refused(estate, RemoteOpening(nonce(estate), STAFF, call)) == "call-over"
        estate.down()
        eventually(lambda: not door.state()["link"])
        told = door.ring()
        assert told["state"] == "unreachable"
        assert "cannot be reached" in told["message"]["en"]
        estate.up()
        eventually(lambda: len(estate.alarms) == 2)
        assert {one.kind for one in estate.alarms} == {"call-missed"}
        assert [one.active for one in estate.alarms] == [True, False]
        assert (door.openings(), estate.entries) == ([], [])


@pytest.mark.soak  # tests/browser/test_calls.py rings with real processes in the quick suite
def test_the_desk_sees_whoever_rings_and_only_while_they_ring(
    estate: Estate, data: Path, feed: CameraFeed, pack: FacePack
) -> None:
    del pack  # only a vision with models has pictures
    furnish(estate)
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        call = door.ring()["call"]
        eventually(lambda: len({one.still for one in estate.calls if one.still}) >= 3)
        assert {one.call for one in estate.calls} == {call}
        still = cv2.imdecode(np.frombuffer(estate.calls[-1].still, np.uint8), cv2.IMREAD_COLOR)
        assert still is not None
        assert max(still.shape) == 480
        # Nobody is there: it ends by itself.
        eventually(lambda: door.state()["call"]["state"] == "gone", within=GONE_S + 20)
        rings(estate, "")
        assert estate.calls[-1].still == b""
        eventually(lambda: {one.kind for one in estate.alarms} == {"call-missed"})
        assert leftovers(door, estate.calls[-2].still) == []


def leftovers(door: Door, still: bytes) -> list[Path]:
    """Return the door's files that hold a part of a picture."""
    part = still[len(still) // 2 :][:64]
    files = [one for one in door.data.rglob("*") if one.is_file()]
    return [one for one in files if part in one.read_bytes()]
