"""Recorded before it opens, opened once, and shut when it cannot be recorded."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access_rules.decision import DecisionReason, Liveness, Shown
from access_rules.people import Category, Credential, Person
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import LATEST_NS, Decider, Outcome
from door_terminal.entries import EntryLog
from door_terminal.errors import GateFailed
from door_terminal.gate import Opening
from door_terminal.reserve import Reserve
from door_terminal.wire import read
from tests.door_terminal.conftest import make_read_only
from tests.door_terminal.samples import configured
from tier_link.estate_messages import EntryRecorded
from tier_link.store import LinkStore

ADA = Person("a" * 32, Category.RESIDENT)
STRICT = Person("b" * 32, Category.RESIDENT, second_credential=True)


@dataclass
class Watched:
    """A gate that looks whether the entry was there before it opened."""

    store: LinkStore
    openings: list[Opening] = field(default_factory=list)
    fails: bool = False

    def open(self, opening: Opening) -> None:
        kept = self.store.pending("server", 0, limit=100)
        assert any(opening.entry.encode() in one.body for one in kept)
        if self.fails:
            raise GateFailed("no answer")
        self.openings.append(opening)

    def close(self) -> None: ...


class Door:
    def __init__(self, engine: Engine, clock: EffectiveClock, folder: Path) -> None:
        self.engine = engine
        self.store = LinkStore(engine, keep_acknowledged=timedelta(days=7))
        self.gate = Watched(self.store)
        self.configuration: Configuration | None = Configuration.of(configured(gate_open_s=7))
        self.published: list[Outcome] = []
        reserve = Reserve(folder / "reserve", slots=0)
        self.decider = Decider(
            configuration=lambda: self.configuration,
            clock=clock,
            entries=EntryLog(engine, self.store, "server", clock, reserve),
            gate=self.gate,
            publish=self.published.append,
        )

    def show(self, person: Person | None, credential: Credential = Credential.FACE) -> Outcome:
        return self.decider.attempt(Shown(credential, person), needed_ns=time.monotonic_ns())

    def entries(self) -> int:
        return len(self.store.pending("server", 0, limit=100))


@pytest.fixture
def door(engine: Engine, clock: EffectiveClock, tmp_path: Path) -> Door:
    return Door(engine, clock, tmp_path)


def test_a_grant_is_recorded_and_then_opens_once(door: Door) -> None:
    outcome = door.show(ADA)
    assert outcome.granted
    assert door.gate.openings == [Opening(outcome.entry, 7)]
    assert outcome.decided_ns <= outcome.recorded_ns <= outcome.released_ns
    assert door.published == [outcome]


def test_a_refusal_is_recorded_and_opens_nothing(door: Door) -> None:
    outcome = door.show(None)
    assert (outcome.granted, outcome.reason) == (False, DecisionReason.NOT_RECOGNIZED)
    assert (door.entries(), door.gate.openings) == (1, [])


def test_a_gate_that_fails_is_reported_and_not_asked_again(door: Door) -> None:
    door.gate.fails = True
    assert door.show(ADA).gate == "gate-unreachable"
    door.gate.fails = False
    assert door.gate.openings == []


def test_what_cannot_be_recorded_does_not_open(door: Door) -> None:
    make_read_only(door.engine)
    outcome = door.show(ADA)
    assert (outcome.granted, outcome.reason) == (False, DecisionReason.NOT_RECORDABLE)
    assert door.gate.openings == []


def test_what_was_seen_too_long_ago_opens_nothing(door: Door) -> None:
    long_ago = time.monotonic_ns() - LATEST_NS - 1
    outcome = door.decider.attempt(Shown(Credential.FACE, ADA), needed_ns=long_ago)
    assert (outcome.granted, outcome.reason) == (False, DecisionReason.TOO_LATE)
    assert (door.entries(), door.gate.openings) == (1, [])


def test_a_second_credential_completes_the_first(door: Door) -> None:
    assert door.show(STRICT).reason is DecisionReason.SECOND_CREDENTIAL_NEEDED
    assert door.show(ADA, Credential.PIN).granted  # somebody else in between is somebody else
    assert door.show(STRICT, Credential.PIN).granted
    assert door.show(STRICT, Credential.PIN).reason is DecisionReason.SECOND_CREDENTIAL_NEEDED
    records = door.store.pending("server", 0, limit=100)
    told = [read(EntryRecorded, record.body) for record in records]
    assert [one.second for one in told] == [False, False, True, False]
    assert [one.first for one in told] == ["", "", "face", ""]
    assert [one.first for one in door.published] == [None, None, Credential.FACE, None]


def test_a_face_that_was_unsure_and_steps_up_again_is_judged_by_what_is_seen_now(
    door: Door,
) -> None:
    door.configuration = Configuration.of(configured(liveness="second"))
    seen = [
        door.decider.attempt(
            Shown(Credential.FACE, ADA, liveness=liveness), needed_ns=time.monotonic_ns()
        ).reason
        for liveness in (Liveness.UNDECIDED, Liveness.LIVE)
    ]
    assert seen == [DecisionReason.SECOND_CREDENTIAL_NEEDED, DecisionReason.WITHIN_RULES]


def test_the_first_credential_does_not_wait_for_ever(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("door_terminal.decisions.decider.SECOND_CREDENTIAL_S", 0.0)
    door.show(STRICT)
    assert not door.show(STRICT, Credential.PIN).granted


def test_a_door_that_was_never_configured_opens_for_nobody(door: Door) -> None:
    door.configuration = None
    outcome = door.show(ADA)
    assert (outcome.granted, outcome.reason) == (False, DecisionReason.MATCHING_UNAVAILABLE)
    assert door.entries() == 1
