"""A real door over a real link: an order that is old, repeated or not its own opens nothing."""

import secrets
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from door_terminal.decisions.remote_opening import LAPSE_S
from door_terminal.wire import read
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import Door, in_step, running_door, start_door
from tests.door_terminal.samples import configured
from tier_link.errors import RequestFailed
from tier_link.estate_messages import (
    ESTATE,
    EstateMessage,
    OpeningAnswer,
    OpeningNonce,
    OpeningWanted,
    RemoteOpening,
)

STAFF: Final = "5" * 32
PATIENCE_S: Final = 10.0


def ask(estate: Estate, question: EstateMessage) -> bytes:
    assert estate.link is not None
    return estate.link.request(ESTATE.kind(question), ESTATE.encode(question), PATIENCE_S)


def nonce(estate: Estate) -> str:
    return read(OpeningNonce, ask(estate, OpeningWanted())).nonce


def open_with(estate: Estate, drawn: str) -> OpeningAnswer:
    return read(OpeningAnswer, ask(estate, RemoteOpening(drawn, STAFF)))


def refused(estate: Estate, drawn: str) -> str:
    with pytest.raises(RequestFailed) as refusal:
        open_with(estate, drawn)
    return refusal.value.code


def opened(estate: Estate, door: Door) -> list[str]:
    """Return the openings once the server has an entry by staff for each."""
    openings = door.openings()
    eventually(lambda: {one.entry for one in estate.entries} >= set(openings))
    assert {one.by for one in estate.entries if one.entry in openings} <= {STAFF}
    return openings


def test_only_the_fresh_nonce_of_this_link_opens_and_only_once(estate: Estate, data: Path) -> None:
    estate.configure(configured())
    door = start_door(data)
    in_step(estate)
    first = nonce(estate)
    assert open_with(estate, first).gate == ""
    assert refused(estate, first) == "nonce-unknown"
    assert refused(estate, secrets.token_hex(16)) == "nonce-unknown"
    assert opened(estate, door) == [first]

    of_the_link_before, late = nonce(estate), ""
    estate.down()
    eventually(lambda: not door.state()["link"])
    estate.up()
    eventually(lambda: estate.link is not None)
    assert refused(estate, of_the_link_before) == "nonce-unknown"

    late = nonce(estate)
    Event().wait(LAPSE_S + 0.1)
    assert refused(estate, late) == "opening-lapsed"
    assert refused(estate, late) == "nonce-unknown"

    before_the_restart = nonce(estate)
    door.kill()
    eventually(lambda: estate.link is None)
    with running_door(data) as door:
        eventually(lambda: estate.link is not None)
        assert refused(estate, before_the_restart) == "nonce-unknown"
        second = nonce(estate)
        assert open_with(estate, second).gate == ""
        assert opened(estate, door) == [first, second]
        assert door.state()["last"]["reason"] == "opened-remotely"
        assert door.stop() == 0


def test_a_gate_that_does_not_answer_is_told_to_whoever_asked(estate: Estate, data: Path) -> None:
    estate.configure(configured())
    with running_door(data, gate="http", gate_url="http://127.0.0.1:9/open"):
        in_step(estate)
        drawn = nonce(estate)
        assert open_with(estate, drawn).gate == "gate-unreachable"
        eventually(lambda: [one.entry for one in estate.entries] == [drawn])
