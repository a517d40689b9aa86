"""The way out is open: before the log, without it, without a server; and a fire keeps it open."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access_rules.alarms import AlarmKind
from access_rules.decision import DecisionReason
from door_terminal.alarms import AlarmLog
from door_terminal.clock import EffectiveClock
from door_terminal.decisions.decider import Outcome
from door_terminal.entries import EntryLog
from door_terminal.errors import GateFailed, ResetRefused
from door_terminal.gate import Opening
from door_terminal.reserve import Reserve
from door_terminal.sensors.egress import HOLD_S, ExitButton, Exits, FireRelease
from tests.door_terminal.conftest import make_read_only
from tier_link.estate_messages import ESTATE, AlarmChanged, EntryRecorded, EstateMessage
from tier_link.store import LinkStore

STAFF = "5" * 32


@dataclass
class Relay:
    openings: list[Opening] = field(default_factory=list)
    fails: bool = False

    def open(self, opening: Opening) -> None:
        if self.fails:
            raise GateFailed("no answer")
        self.openings.append(opening)

    def close(self) -> None: ...


class Way:
    """One way out, started anew at will."""

    def __init__(self, engine: Engine, clock: EffectiveClock, folder: Path) -> None:
        self.engine, self.clock = engine, clock
        self.gate, self.burning = Relay(), False
        self.outcomes: list[Outcome] = []
        self.store = LinkStore(engine, keep_acknowledged=timedelta(days=7))
        self.reserve = Reserve(folder / "reserve", slots=0)
        self.start()

    def start(self) -> None:
        self.alarms = AlarmLog(self.engine, self.store, "server", self.clock, lambda: None)
        entries = EntryLog(self.engine, self.store, "server", self.clock, self.reserve)
        exits = Exits(entries, self.gate, self.outcomes.append)
        self.button = ExitButton(exits, lambda: 5.0)
        self.fire = FireRelease(exits, self.alarms, lambda: self.burning)

    def told(self) -> list[EstateMessage]:
        records = self.store.pending("server", 0, limit=1000)
        return [ESTATE.decode(one.kind, one.body) for one in records]

    def entries(self) -> list[EntryRecorded]:
        return [one for one in self.told() if isinstance(one, EntryRecorded)]

    def fires(self) -> list[tuple[str, bool, str]]:
        return [(m.alarm, m.active, m.by) for m in self.told() if isinstance(m, AlarmChanged)]


@pytest.fixture
def way(engine: Engine, clock: EffectiveClock, tmp_path: Path) -> Way:
    return Way(engine, clock, tmp_path)


def test_a_press_opens_and_makes_an_entry_of_its_own_kind(way: Way) -> None:
    way.button.press(0)
    (entry,) = way.entries()
    assert (entry.granted, entry.reason, entry.credential) == (True, "exit-button", "none")
    assert (entry.direction, entry.person) == ("out", "")
    assert way.gate.openings == [Opening(entry.entry, 5.0)]
    assert [one.entry for one in way.outcomes] == [entry.entry]


def test_presses_during_a_release_open_again_and_are_one_entry(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("door_terminal.sensors.egress.time.monotonic", lambda: now)
    for now in (100.0, 104.0, 108.0, 113.5):  # noqa: B007 - the lambda reads it
        way.button.press(0)
    assert len(way.gate.openings) == 4
    assert len(way.entries()) == 2


def test_a_press_opens_when_nothing_can_be_recorded(way: Way) -> None:
    make_read_only(way.engine)
    way.button.press(0)
    assert len(way.gate.openings) == 1
    assert way.entries() == []


def test_a_press_that_the_gate_did_not_answer_is_recorded_all_the_same(way: Way) -> None:
    way.gate.fails = True
    way.button.press(0)
    assert len(way.entries()) == 1
    assert way.outcomes[0].gate == "gate-unreachable"


def test_a_fire_releases_until_somebody_ends_it(way: Way) -> None:
    way.fire.hold()
    assert way.gate.openings == []
    way.burning = True
    way.fire.hold()
    way.burning = False
    way.fire.hold()
    (entry,) = way.entries()
    held = Opening(entry.entry, HOLD_S, awaited=False)
    assert way.gate.openings == [held, held]
    assert (entry.reason, entry.direction) == ("fire-release", "out")
    assert way.fires() == [(entry.entry, True, "")]
    way.fire.reset(STAFF)
    way.fire.hold()
    assert way.gate.openings == [held, held]
    assert way.fires() == [(entry.entry, True, ""), (entry.entry, False, STAFF)]


def test_a_fire_that_still_burns_cannot_be_ended(way: Way) -> None:
    with pytest.raises(ResetRefused) as refused:
        way.fire.reset("")
    assert refused.value.code == "no-fire"
    way.burning = True
    way.fire.hold()
    with pytest.raises(ResetRefused) as refused:
        way.fire.reset("")
    assert refused.value.code == "fire-still-active"
    assert way.fire.active


def test_a_restart_goes_on_releasing_by_the_same_alarm(way: Way) -> None:
    way.burning = True
    way.fire.hold()
    way.burning = False
    way.start()
    way.fire.hold()
    assert len(way.entries()) == len(way.fires()) == 1
    assert len({one.entry for one in way.gate.openings}) == 1
    assert len(way.gate.openings) == 2


def test_a_fire_releases_on_a_disk_that_takes_nothing(way: Way) -> None:
    make_read_only(way.engine)
    way.burning = True
    way.fire.hold()
    way.burning = False
    way.fire.hold()
    assert len(way.gate.openings) == 2
    way.fire.reset("")
    assert way.alarms.find(AlarmKind.FIRE) == ""


def test_a_gate_that_fails_is_asked_again_while_it_burns(way: Way) -> None:
    way.burning = way.gate.fails = True
    way.fire.hold()
    way.gate.fails = False
    way.fire.hold()
    assert len(way.gate.openings) == 1
    assert way.outcomes[0].reason is DecisionReason.FIRE_RELEASE
