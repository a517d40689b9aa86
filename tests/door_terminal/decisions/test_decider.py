"""Recorded before it opens, opened once, and shut when it cannot be recorded."""

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access_rules.decision import DecisionReason, Liveness, Shown
from access_rules.people import Category, Credential, Person
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import LATEST_NS
from door_terminal.gate import Opening
from tests.door_terminal.conftest import make_read_only
from tests.door_terminal.recorded_door import Door
from tests.door_terminal.samples import configured

ADA = Person("a" * 32, Category.RESIDENT)
STRICT = Person("b" * 32, Category.RESIDENT, second_credential=True)


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
    told = door.told()
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
