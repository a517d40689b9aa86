"""An order of staff opens once, for a fresh nonce, recorded with their name before it does."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from door_terminal.clock import EffectiveClock
from door_terminal.decisions.remote_opening import LAPSE_S, MOST_NONCES, RemoteOpenings
from door_terminal.entries import Attempt
from door_terminal.errors import OpeningRefused
from door_terminal.gate import Opening
from door_terminal.wire import read
from tests.door_terminal.conftest import Time, make_read_only
from tests.door_terminal.recorded_door import Door
from tier_link.estate_messages import EntryRecorded, EntryRemarked

STAFF = "5" * 32


@dataclass
class Asked:
    """A door and what it takes of staff."""

    door: Door
    openings: RemoteOpenings

    def refused(self, nonce: str) -> str:
        before = len(self.door.gate.openings), self.door.entries()
        with pytest.raises(OpeningRefused) as refused:
            self.openings.open(nonce, STAFF)
        assert (len(self.door.gate.openings), self.door.entries()) == before
        return refused.value.code


@pytest.fixture
def asked(engine: Engine, clock: EffectiveClock, time: Time, tmp_path: Path) -> Asked:
    door = Door(engine, clock, tmp_path)
    return Asked(door, RemoteOpenings(door.decider, lambda: time.now))


def test_a_fresh_nonce_opens_once_and_the_entry_names_who_said_so(asked: Asked) -> None:
    nonce = asked.openings.nonce()
    outcome = asked.openings.open(nonce, STAFF)
    assert (outcome.entry, outcome.granted, outcome.gate) == (nonce, True, "")
    assert asked.door.gate.openings == [Opening(nonce, 7)]  # `Watched` saw it recorded before
    (entry,) = asked.door.told()
    assert (entry.entry, entry.by, entry.reason) == (nonce, STAFF, "opened-remotely")
    assert (entry.person, entry.credential, entry.granted) == ("", "none", True)
    assert asked.door.published == [outcome]
    assert asked.refused(nonce) == "nonce-unknown"


def test_a_nonce_that_was_never_drawn_here_opens_nothing(asked: Asked) -> None:
    asked.openings.nonce()
    assert asked.refused("0" * 32) == "nonce-unknown"


def test_a_nonce_lapses_by_the_doors_own_clock(asked: Asked, time: Time) -> None:
    late, in_time = asked.openings.nonce(), asked.openings.nonce()
    time.now += LAPSE_S - 0.001
    assert asked.openings.open(in_time, STAFF).granted
    time.now += 0.001
    assert asked.refused(late) == "opening-lapsed"
    assert asked.refused(late) == "nonce-unknown"


def test_an_order_that_waited_too_long_for_its_turn_has_lapsed(
    asked: Asked, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        """The lock of a decider whose disk took long over the entry before."""

        def __enter__(self) -> None:
            time.now += LAPSE_S

        def __exit__(self, *_: object) -> None: ...

    nonce = asked.openings.nonce()
    monkeypatch.setattr(asked.door.decider, "_lock", Slow())
    assert asked.refused(nonce) == "opening-lapsed"


def test_an_order_whose_entry_took_too_long_opens_nothing_and_the_entry_says_so(
    asked: Asked, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = asked.door.log.record

    def slowly(attempt: Attempt, entry: str) -> EntryRecorded:
        time.now += LAPSE_S
        return record(attempt, entry)

    monkeypatch.setattr(asked.door.log, "record", slowly)
    nonce = asked.openings.nonce()
    with pytest.raises(OpeningRefused) as refused:
        asked.openings.open(nonce, STAFF)
    assert refused.value.code == "opening-lapsed"
    assert asked.door.gate.openings == []
    entry, remark = asked.door.records()
    assert (entry.kind, remark.kind) == ("entry-recorded", "entry-remarked")
    assert read(EntryRemarked, remark.body) == EntryRemarked(nonce, "not-passed")


def test_a_link_that_went_down_takes_its_nonces_along(asked: Asked) -> None:
    nonce = asked.openings.nonce()
    asked.openings.forget()
    assert asked.refused(nonce) == "nonce-unknown"


def test_only_the_newest_nonces_are_remembered(asked: Asked) -> None:
    oldest, *others = [asked.openings.nonce() for _ in range(MOST_NONCES + 1)]
    assert len({oldest, *others}) == MOST_NONCES + 1
    assert asked.refused(oldest) == "nonce-unknown"
    assert asked.openings.open(others[0], STAFF).granted


def test_what_cannot_be_recorded_does_not_open_and_uses_the_nonce_up(asked: Asked) -> None:
    nonce = asked.openings.nonce()
    make_read_only(asked.door.engine)
    for code in ("not-recordable", "nonce-unknown"):
        with pytest.raises(OpeningRefused) as refused:
            asked.openings.open(nonce, STAFF)
        assert refused.value.code == code
    assert asked.door.gate.openings == []


def test_a_gate_that_fails_is_told_and_not_asked_again(asked: Asked) -> None:
    asked.door.gate.fails = True
    nonce = asked.openings.nonce()
    assert asked.openings.open(nonce, STAFF).gate == "gate-unreachable"
    asked.door.gate.fails = False
    assert asked.refused(nonce) == "nonce-unknown"
    assert asked.door.gate.openings == []


def test_a_door_that_was_never_configured_opens_for_nobody(asked: Asked) -> None:
    asked.door.configuration = None
    assert asked.refused(asked.openings.nonce()) == "not-configured"
