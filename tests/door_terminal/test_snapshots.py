"""Of whoever is refused by face the server may get one small picture, and the disk none."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.decision import DecisionReason
from door_terminal import snapshots
from door_terminal.database import EntryRow
from door_terminal.decisions.recognition import Recognised, Recogniser
from door_terminal.errors import RecognitionFailed
from door_terminal.identity import Pairing
from door_terminal.settings import Mode, Settings
from door_terminal.terminal import Terminal
from door_terminal.vision.messages import Sighting, Unclear
from tests.door_terminal.samples import QUICK, configured, person, unit_vector
from tier_link.errors import DeadlinePassed
from tier_link.estate_messages import (
    ESTATE,
    MAX_CROP,
    EntryRecorded,
    EstateMessage,
    RosterSnapshot,
    SnapshotTaken,
)

CROPS = (b"\xff\xd8 the best face of this sighting", b"\xff\xd8 the second best")
ADA = person("a", pin=QUICK.hash("482915"))
STRANGER = Recognised(None, "local", unit_vector(1))
KNOWN = Recognised(ADA, "local", unit_vector(2))
SUSPENDED = Recognised(person("b", suspended=True), "local", unit_vector(3))


class Server:
    """The link's other end: it answers nothing while `answers` is not set."""

    def __init__(self) -> None:
        self.asked: list[EstateMessage] = []
        self.heard = Event()
        self.answers = Event()
        self.answers.set()
        self.fails = False

    def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        assert deadline == snapshots.DEADLINE_S
        self.asked.append(ESTATE.decode(kind, body))
        self.heard.set()
        assert self.answers.wait(30)
        if self.fails:
            raise DeadlinePassed("no answer")
        return b""


class Told(Recogniser):
    """Recognises whomever the test says."""

    def __init__(self, answer: Recognised | RecognitionFailed) -> None:
        self.answer = answer

    def recognise(self, sighting: Sighting, mode: Mode) -> Recognised:
        del sighting, mode
        if isinstance(self.answer, RecognitionFailed):
            raise self.answer
        return self.answer


class Door:
    """A whole controller without its processes: what vision sends it, and what it sends on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "door"
        key = Ed25519PrivateKey.generate()
        pairing = Pairing(
            "https://127.0.0.1:9",
            "0d" * 16,
            "court",
            key.public_key().public_bytes_raw(),
            key.private_bytes_raw(),
            "",
        )
        self.server = Server()
        self.linked = True
        self.terminal = Terminal(Settings(data=self.folder), pairing)
        self.terminal.snapshots._link = lambda: self.server if self.linked else None
        self.terminal.clock.hear(int(time.time()))
        with Session(self.terminal.engine) as session, session.begin():
            self.terminal.roster.take_snapshot(session, RosterSnapshot(1, 0, 1, (ADA,)), "")

    def configure(self, **more: Any) -> None:
        with Session(self.terminal.engine) as session, session.begin():
            self.terminal.configuration.take(session, configured(**more))

    def sees(self, found: Recognised | RecognitionFailed = STRANGER, **more: Any) -> None:
        self.terminal.faces._recogniser = Told(found)
        now = time.monotonic_ns()
        sighting = Sighting("s", now, now, 2, **({"crops": CROPS} | more))
        self.terminal._deal_with(sighting)

    @property
    def entries(self) -> list[EntryRecorded]:
        with Session(self.terminal.engine) as session:
            rows = session.scalars(select(EntryRow).order_by(EntryRow.door_sequence)).all()
            decoded = [ESTATE.decode("entry-recorded", row.body) for row in rows]
        return [one for one in decoded if isinstance(one, EntryRecorded)]

    @property
    def sent(self) -> list[EstateMessage]:
        """Everything that was sent, once nothing is under way any more."""
        self.terminal.snapshots._threads.shutdown(wait=True)  # drops nothing that waits
        return self.server.asked


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path)
    yield door
    door.server.answers.set()
    door.terminal.close()


def on_disk(folder: Path, wanted: bytes) -> list[str]:
    files = [one for one in folder.rglob("*") if one.is_file()]
    return [one.name for one in files if wanted in one.read_bytes()]


def test_who_is_refused_is_sent_once_under_the_entrys_id_and_time(door: Door) -> None:
    door.configure(snapshots=True)
    door.sees(final=False)  # more frames may still tell
    door.sees()
    door.sees()  # the same stranger stays: no other entry, and no other picture
    (entry,) = door.entries
    assert (entry.granted, entry.reason, entry.at > 0) == (False, "not-recognized", True)
    assert door.sent == [SnapshotTaken(entry.entry, entry.at, CROPS[0])]


@pytest.mark.parametrize(
    ("reason", "found", "rules", "liveness"),
    [
        ("spoof-suspected", KNOWN, {"liveness": "open"}, "spoof"),
        ("suspended", SUSPENDED, {}, ""),
        ("matching-unavailable", RecognitionFailed("no model"), {}, ""),
    ],
)
def test_whatever_the_reason(
    door: Door,
    reason: str,
    found: Recognised | RecognitionFailed,
    rules: dict[str, Any],
    liveness: str,
) -> None:
    door.configure(snapshots=True, **rules)
    door.sees(found, liveness=liveness)
    (entry,) = door.entries
    assert (entry.granted, entry.reason) == (False, reason)
    assert door.sent == [SnapshotTaken(entry.entry, entry.at, CROPS[0])]


def test_who_is_let_in_is_never_sent(door: Door) -> None:
    door.configure(snapshots=True)
    door.sees(KNOWN)
    assert [one.granted for one in door.entries] == [True]
    assert door.sent == []


def test_who_is_asked_for_the_pin_as_well_is_not_refused_and_not_sent(door: Door) -> None:
    door.configure(snapshots=True, face_needs_second=True)
    door.sees(KNOWN)
    outcome, _ = door.terminal.enter_pin("3-1-1201", "482915")
    assert outcome.granted
    assert [one.reason for one in door.entries] == ["second-credential-needed", "within-rules"]
    assert door.sent == []


def test_other_credentials_and_unclear_faces_have_no_picture(door: Door) -> None:
    door.configure(snapshots=True)
    door.terminal._deal_with(Unclear("s", 0, time.monotonic_ns(), 1))
    assert not door.terminal.enter_pin("3-1-1201", "000000")[0].granted
    assert [one.reason for one in door.entries] == ["face-unclear", "pin-wrong"]
    assert door.sent == []


def test_a_door_that_is_not_to_sends_nothing_even_of_pictures_taken_for_matching(
    door: Door,
) -> None:
    door.configure(mode="remote")
    door.sees()
    assert len(door.entries) == 1
    assert door.sent == []


@pytest.mark.parametrize("wanted", [False, True])
def test_vision_is_asked_for_a_picture_only_where_it_is_wanted(door: Door, *, wanted: bool) -> None:
    door.configure(snapshots=wanted)
    watch = door.terminal._watch()
    assert watch is not None
    assert (watch.crops, watch.snapshot) == (False, wanted)


def test_without_a_link_a_picture_is_lost_and_on_no_disk(door: Door) -> None:
    door.configure(snapshots=True)
    door.linked = False
    door.sees()
    (entry,) = door.entries
    assert on_disk(door.folder, entry.entry.encode())  # so the search can find something
    assert on_disk(door.folder, CROPS[0]) == []
    door.linked = True
    door.sees(KNOWN)
    assert door.sent == []


def test_a_server_that_does_not_answer_is_asked_once(door: Door) -> None:
    door.configure(snapshots=True)
    door.server.fails = True
    door.sees()
    assert len(door.sent) == 1
    assert on_disk(door.folder, CROPS[0]) == []


def test_no_decision_waits_for_a_picture_and_few_are_under_way_at_once(door: Door) -> None:
    door.configure(snapshots=True)
    door.server.answers.clear()
    for seed in range(10, 10 + snapshots.MOST_UNDER_WAY + 3):
        door.sees(Recognised(None, "local", unit_vector(seed)))
    door.sees(KNOWN)  # all of this while the server has answered nothing
    refused, (last,) = door.entries[:-1], door.entries[-1:]
    assert len(refused) == snapshots.MOST_UNDER_WAY + 3
    assert last.granted
    assert door.terminal.last is not None
    assert door.terminal.last.reason is DecisionReason.WITHIN_RULES
    door.server.answers.set()
    first = [one.entry for one in refused[: snapshots.MOST_UNDER_WAY]]
    entries = [one.entry for one in door.sent if isinstance(one, SnapshotTaken)]
    assert sorted(entries) == sorted(first)


def test_once_the_server_has_answered_the_next_picture_goes(door: Door) -> None:
    door.configure(snapshots=True)
    for seed in range(10, 10 + snapshots.MOST_UNDER_WAY + 2):
        door.server.heard.clear()
        door.sees(Recognised(None, "local", unit_vector(seed)))
        assert door.server.heard.wait(30)
        _wait_until_free(door)
    assert len(door.sent) == snapshots.MOST_UNDER_WAY + 2


def test_what_is_no_small_picture_is_not_sent(door: Door) -> None:
    door.configure(snapshots=True)
    door.sees(crops=(b"x" * (MAX_CROP + 1),))
    door.sees(Recognised(None, "local", unit_vector(5)), crops=())
    assert len(door.entries) == 2
    assert door.sent == []


def _wait_until_free(door: Door) -> None:
    """Take and give back every place, for which what was under way must be over."""
    free = door.terminal.snapshots._free
    for _ in range(snapshots.MOST_UNDER_WAY):
        assert free.acquire(timeout=30)
    free.release(snapshots.MOST_UNDER_WAY)
