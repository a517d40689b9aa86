"""Somebody rings, and the first answer counts; nobody who rang is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access_rules.alarms import AlarmKind
from access_rules.people import Direction
from door_terminal.alarms import AlarmLog
from door_terminal.calls import GONE_S, MISSED_FROM_S, RING_S, TOLD_S, CallDesk, CallState
from door_terminal.clock import EffectiveClock
from door_terminal.decisions.decider import Outcome
from door_terminal.decisions.remote_opening import RemoteOpenings
from door_terminal.errors import CallEnded, OpeningRefused
from tests.door_terminal.conftest import Time, make_read_only
from tests.door_terminal.recorded_door import Door
from tier_link.estate_messages import ESTATE, AlarmChanged, CallRefused

STAFF = "5" * 32
ENTRY = "e" * 32


@dataclass
class Bell:
    """A door's calls, with its real log, alarms and way to the gate."""

    door: Door
    time: Time
    clock: EffectiveClock
    linked: bool = True
    woken: int = field(default=0)

    def __post_init__(self) -> None:
        self.openings = RemoteOpenings(self.door.decider, lambda: self.time.now)
        self.start()

    def start(self) -> None:
        self.alarms = AlarmLog(
            self.door.engine, self.door.store, "server", self.clock, lambda: None
        )
        self.calls = CallDesk(
            entries=self.door.log,
            alarms=self.alarms,
            direction=lambda: Direction.IN,
            connected=lambda: self.linked,
            woken=self._wake,
            clock=lambda: self.time.now,
        )

    def _wake(self) -> None:
        self.woken += 1

    def ring(self) -> str:
        self.calls.ring()
        return self.calls.shown.id

    def open(self, call: str, nonce: str = "") -> Outcome:
        drawn = nonce or self.openings.nonce()
        return self.calls.open(call, lambda: self.openings.open(drawn, STAFF))

    def refuse(self, call: str, reason: str = "desk") -> None:
        self.calls.refuse(CallRefused(call, ENTRY, STAFF, reason))

    def state(self) -> CallState:
        return self.calls.shown.state

    def missed(self) -> int:
        """Return how many calls staff are told that nobody answered, all of them over."""
        records = self.door.store.pending("server", 0, limit=1000)
        messages = [ESTATE.decode(one.kind, one.body) for one in records]
        told = [one for one in messages if isinstance(one, AlarmChanged)]
        assert all(one.kind == "call-missed" for one in told)
        begun, over = (
            {one.alarm for one in told if one.active is active} for active in (True, False)
        )
        assert begun == over
        return len(begun)


@pytest.fixture
def bell(engine: Engine, clock: EffectiveClock, time: Time, tmp_path: Path) -> Bell:
    return Bell(Door(engine, clock, tmp_path), time, clock)


def ended(code: str, answer: Callable[[], object]) -> None:
    with pytest.raises(CallEnded) as refused:
        answer()
    assert refused.value.code == code


def test_a_call_that_is_opened_for_opens_once_and_leaves_an_entry(bell: Bell) -> None:
    call = bell.ring()
    assert bell.ring() == call  # whoever presses again rings no second time
    outcome = bell.open(call)
    assert bell.state() is CallState.OPENED
    assert [one.entry for one in bell.door.told()] == [outcome.entry]
    ended("call-taken", lambda: bell.open(call))
    ended("call-taken", lambda: bell.refuse(call))
    assert len(bell.door.gate.openings) == 1
    assert bell.missed() == 0


def test_a_refusal_is_told_with_its_reason_and_recorded_with_the_name(bell: Bell) -> None:
    call = bell.ring()
    bell.refuse(call)
    shown = bell.calls.shown
    assert (shown.state, shown.reason) == (CallState.REFUSED, "desk")
    (entry,) = bell.door.told()
    assert (entry.entry, entry.by, entry.reason) == (ENTRY, STAFF, "refused-by-staff")
    assert (entry.granted, entry.direction, entry.credential) == (False, "in", "none")
    assert bell.woken == 1
    ended("call-taken", lambda: bell.open(call))
    assert bell.door.gate.openings == []


def test_an_order_that_the_door_does_not_take_leaves_the_call_ringing(bell: Bell) -> None:
    call = bell.ring()
    with pytest.raises(OpeningRefused):
        bell.open(call, "0" * 32)
    assert bell.calls.ringing is not None
    assert bell.open(call).granted


def test_a_gate_that_fails_is_told_to_whoever_rings(bell: Bell) -> None:
    bell.door.gate.fails = True
    bell.open(bell.ring())
    assert bell.state() is CallState.GATE_FAILED


def test_only_the_call_that_rings_can_be_answered(bell: Bell) -> None:
    ended("call-over", lambda: bell.open("0" * 32))
    first = bell.ring()
    bell.calls.cancel(first)
    ended("call-over", lambda: bell.open(first))
    bell.ring()
    ended("call-over", lambda: bell.refuse(first))
    assert (bell.door.gate.openings, bell.door.told()) == ([], [])


def test_while_one_answers_nobody_else_does_and_the_call_does_not_end(bell: Bell) -> None:
    call = bell.ring()

    def meanwhile() -> Outcome:
        ended("call-taken", lambda: bell.refuse(call))
        bell.time.now += RING_S
        bell.calls.tidy()
        bell.calls.cancel(call)
        return bell.openings.open(bell.openings.nonce(), STAFF)

    assert bell.calls.open(call, meanwhile).granted
    assert bell.state() is CallState.OPENED
    assert bell.missed() == 0


def test_a_call_that_nobody_takes_ends_and_leaves_word(bell: Bell) -> None:
    call = bell.ring()
    bell.time.now += RING_S - 0.1
    bell.calls.notice()
    bell.calls.tidy()
    assert bell.calls.ringing is not None
    bell.time.now += 0.1
    bell.calls.tidy()
    assert bell.state() is CallState.UNANSWERED
    assert bell.missed() == 1
    ended("call-over", lambda: bell.open(call))
    bell.time.now += TOLD_S
    assert bell.state() is CallState.NONE


def test_whoever_goes_away_rings_no_more(bell: Bell) -> None:
    bell.ring()
    bell.time.now += GONE_S - 1
    bell.calls.notice()
    bell.time.now += GONE_S - 1
    bell.calls.tidy()
    assert bell.state() is CallState.RINGING
    bell.time.now += 1
    bell.calls.tidy()
    assert (bell.state(), bell.missed()) == (CallState.GONE, 1)


def test_a_slip_of_the_finger_leaves_nothing_and_giving_up_leaves_word(bell: Bell) -> None:
    call = bell.ring()
    bell.calls.cancel("0" * 32)
    assert bell.calls.ringing is not None
    bell.calls.cancel(call)
    assert (bell.state(), bell.missed()) == (CallState.CANCELLED, 0)
    call = bell.ring()
    bell.time.now += MISSED_FROM_S
    bell.calls.cancel(call)
    assert bell.missed() == 1


def test_without_a_link_nobody_is_rung_and_staff_hear_of_it_later_once_a_minute(
    bell: Bell,
) -> None:
    bell.linked = False
    for _ in range(5):
        call = bell.ring()
        assert bell.state() is CallState.UNREACHABLE
        assert bell.calls.ringing is None
    ended("call-over", lambda: bell.open(call))
    assert bell.missed() == 1
    bell.time.now += RING_S
    bell.ring()
    assert bell.missed() == 2


def test_a_power_cut_between_the_two_halves_of_a_note_leaves_no_lasting_alarm(bell: Bell) -> None:
    bell.alarms.put(AlarmKind.CALL_MISSED, active=True)
    bell.start()
    assert bell.alarms.find(AlarmKind.CALL_MISSED) == ""
    assert bell.missed() == 1
    assert bell.state() is CallState.NONE


def test_whoever_rings_is_told_also_where_no_entry_can_be_made(bell: Bell) -> None:
    call = bell.ring()
    make_read_only(bell.door.engine)
    bell.refuse(call)
    assert bell.state() is CallState.REFUSED
