"""One sighting makes one entry; who was let in and stays is asked again, a stranger is not."""

import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from access_rules.decision import DecisionReason
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.decisions.faces import FaceDesk
from door_terminal.decisions.recognition import Recognised, Recogniser
from door_terminal.entries import EntryLog
from door_terminal.errors import RecognitionFailed
from door_terminal.gate.simulated import SimulatedGate
from door_terminal.reserve import Reserve
from door_terminal.settings import Mode
from door_terminal.vision.messages import Sighting, Unclear
from tests.door_terminal.samples import configured, person, unit_vector
from tier_link.store import LinkStore

ADA = person("a")


class Told(Recogniser):
    """Recognises whomever the test says."""

    def __init__(self) -> None:
        self.answer: Recognised | RecognitionFailed = Recognised(None, "local", unit_vector(1))

    def recognise(self, sighting: Sighting, mode: Mode) -> Recognised:
        del sighting, mode
        if isinstance(self.answer, RecognitionFailed):
            raise self.answer
        return self.answer


class Desk:
    def __init__(
        self, engine: Engine, clock: EffectiveClock, folder: Path, liveness: str = "off"
    ) -> None:
        configuration = Configuration.of(configured(liveness=liveness))
        store = LinkStore(engine, keep_acknowledged=timedelta(days=7))
        self.outcomes: list[Outcome] = []
        self.wanted_until = float("inf")
        self.told = Told()
        self.held: list[tuple[str, int]] = []  # whose, and after how many outcomes
        self.faces = FaceDesk(
            recogniser=self.told,
            decider=Decider(
                configuration=lambda: configuration,
                clock=clock,
                entries=EntryLog(engine, store, "server", clock, Reserve(folder / "none")),
                gate=SimulatedGate(folder / "gate.jsonl"),
                publish=self.outcomes.append,
            ),
            configuration=lambda: configuration,
            mode=lambda: "local",
            hold=lambda name, _: self.held.append((name, len(self.outcomes))),
            wanted=lambda at_ns: at_ns <= self.wanted_until,
        )

    def sees(self, answer: Recognised | RecognitionFailed) -> float | None:
        self.told.answer = answer
        now = time.monotonic_ns()
        return self.faces.sighting(Sighting("s", now, now, 2)).again_s


@pytest.fixture
def desk(engine: Engine, clock: EffectiveClock, tmp_path: Path) -> Desk:
    return Desk(engine, clock, tmp_path)


def test_who_was_let_in_counts_again_once_the_gate_has_closed(desk: Desk) -> None:
    found = Recognised(ADA, "local", unit_vector(1))
    assert desk.sees(found) == 10.0  # five seconds open, five of cooldown
    assert desk.sees(found) == 5.0  # held back, for instance after vision was restarted
    assert [one.granted for one in desk.outcomes] == [True]


def test_a_stranger_who_stays_makes_one_entry(desk: Desk) -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        seen = unit_vector(1) + 0.02 * random.standard_normal(128).astype(np.float32)
        probe = np.asarray(seen / np.linalg.norm(seen), np.float32)
        assert desk.sees(Recognised(None, "local", probe)) is None
    assert [one.reason for one in desk.outcomes] == [DecisionReason.NOT_RECOGNIZED]


def test_only_the_last_probe_of_a_sighting_finds_nobody(desk: Desk) -> None:
    now = time.monotonic_ns()
    verdict = desk.faces.sighting(Sighting("s", now, now, 2, final=False))
    assert (verdict.settled, desk.outcomes) == (False, [])
    verdict = desk.faces.sighting(Sighting("s", now, now, 6, final=True))
    assert (verdict.settled, len(desk.outcomes)) == (True, 1)


def test_a_resident_after_a_stranger_is_decided_at_once(desk: Desk) -> None:
    desk.sees(Recognised(None, "local", unit_vector(1)))
    desk.sees(Recognised(ADA, "local", unit_vector(1)))
    assert [one.granted for one in desk.outcomes] == [False, True]


def test_what_cannot_be_matched_or_seen_is_recorded_with_its_reason(desk: Desk) -> None:
    desk.sees(RecognitionFailed("vision is gone", code="vision-down"))
    desk.faces.unclear(Unclear("s", 0, time.monotonic_ns(), 1))
    assert [one.reason for one in desk.outcomes] == [
        DecisionReason.MATCHING_UNAVAILABLE,
        DecisionReason.FACE_UNCLEAR,
    ]


def looked(liveness: str, *, final: bool = True, challenged: bool = False) -> Sighting:
    now = time.monotonic_ns()
    return Sighting("s", now, now, 2, final=final, liveness=liveness, challenged=challenged)


def test_doubt_waits_for_more_frames_and_then_asks_for_a_turn(
    engine: Engine, clock: EffectiveClock, tmp_path: Path
) -> None:
    desk = Desk(engine, clock, tmp_path, "challenge")
    desk.told.answer = Recognised(ADA, "local", unit_vector(1))
    doubt = "not-enough-evidence"
    early = desk.faces.sighting(looked(doubt, final=False))
    assert (early.settled, early.turn) == (False, "")
    late = desk.faces.sighting(looked(doubt))
    assert late.settled is False
    assert late.turn in {"left", "right"}
    assert desk.outcomes == []
    assert desk.faces.sighting(looked(doubt, challenged=True)).settled
    assert [one.reason for one in desk.outcomes] == [DecisionReason.LIVENESS_UNPROVEN]


@pytest.mark.parametrize("final", [False, True])
def test_what_is_known_is_decided_at_once(
    engine: Engine, clock: EffectiveClock, tmp_path: Path, *, final: bool
) -> None:
    desk = Desk(engine, clock, tmp_path, "challenge")
    desk.told.answer = Recognised(ADA, "local", unit_vector(1))
    desk.faces.sighting(looked("spoof", final=final))
    desk.told.answer = Recognised(person("b"), "local", unit_vector(2))
    desk.faces.sighting(looked("live", final=final))
    assert [one.reason for one in desk.outcomes] == [
        DecisionReason.SPOOF_SUSPECTED,
        DecisionReason.WITHIN_RULES,
    ]


def test_nobody_known_is_asked_to_turn(
    engine: Engine, clock: EffectiveClock, tmp_path: Path
) -> None:
    desk = Desk(engine, clock, tmp_path, "challenge")
    desk.faces.sighting(looked("not-enough-evidence"))
    assert [one.reason for one in desk.outcomes] == [DecisionReason.NOT_RECOGNIZED]


def test_a_match_is_learned_from_once_and_only_of_who_is_let_in(
    engine: Engine, clock: EffectiveClock, tmp_path: Path
) -> None:
    desk = Desk(engine, clock, tmp_path, "challenge")
    learned: list[str] = []
    for name, number, seen in (("a", 1, "spoof"), ("b", 2, "live")):
        found = Recognised(
            person(name), "local", unit_vector(number), partial(learned.append, name)
        )
        desk.told.answer = found
        desk.faces.sighting(looked("not-enough-evidence", final=False))
        desk.faces.sighting(looked(seen))
        desk.faces.sighting(looked(seen))  # held back by the cooldown
    assert learned == ["b"]


def test_pictures_of_whoever_may_be_renewed_are_held_before_the_decision(desk: Desk) -> None:
    desk.sees(Recognised(ADA, "remote", unit_vector(1)))
    desk.sees(Recognised(person("b"), "remote", unit_vector(2), renewable=True))
    desk.sees(Recognised(None, "remote", unit_vector(3), renewable=True))
    assert desk.held == [("b" * 32, 1)]


def test_what_arrives_from_after_somebody_wanted_in_opens_nothing_and_is_no_entry(
    desk: Desk,
) -> None:
    now = time.monotonic_ns()
    desk.wanted_until = now
    desk.told.answer = Recognised(ADA, "local", unit_vector(1))
    assert desk.faces.sighting(Sighting("s", now, now + 1, 2)).settled
    assert desk.faces.unclear(Unclear("s", now, now + 1, 0)) is None
    assert desk.outcomes == []
    verdict = desk.faces.sighting(Sighting("s", now, now, 2))
    assert verdict.outcome is not None
    assert verdict.outcome.granted
