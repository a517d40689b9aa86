"""What is new is tried, and what worked comes back when vision does not do well with it."""

from dataclasses import dataclass, field

import msgspec
import pytest
from sqlalchemy import Engine

from door_terminal.vision.plan_store import keep_plan, load_plan
from door_terminal.vision.trial import (
    HEALTHY_S,
    MOST_DEATHS,
    PACK_UNHEALTHY,
    SETTINGS_UNHEALTHY,
    Look,
    Plan,
    Trial,
)

LOOK = Look(40, 300, 35, 2, liveness=False, passes=True)
OTHER_LOOK = msgspec.structs.replace(LOOK, liveness=True)
OLD, NEW = Plan("old", LOOK), Plan("new", LOOK)


@dataclass
class Bench:
    now: float = 100.0
    kept: list[Plan] = field(default_factory=list)

    def trial(self, wanted: Plan, good: Plan | None = OLD) -> Trial:
        return Trial(wanted, good, "old", self.kept.append, lambda: self.now)

    def works(self, trial: Trial, seconds: float) -> None:
        since = self.now
        self.now += seconds
        trial.works(since)


def test_a_plan_proves_itself_by_working_for_a_while() -> None:
    bench = Bench()
    trial = bench.trial(NEW)
    assert (trial.plan, trial.problem) == (NEW, "")
    bench.works(trial, HEALTHY_S - 1)
    assert bench.kept == []
    bench.works(trial, HEALTHY_S)
    assert bench.kept == [NEW]
    for _ in range(MOST_DEATHS):
        trial.died()  # of something else: it is what worked last
    assert trial.plan == NEW


def test_who_dies_again_and_again_on_trial_goes_back_and_says_so() -> None:
    trial = Bench().trial(NEW)
    for _ in range(MOST_DEATHS):
        assert trial.plan == NEW
        trial.died()
    assert (trial.plan, trial.wanted, trial.problem) == (OLD, NEW, PACK_UNHEALTHY)
    assert not trial.mendable


def test_a_pack_that_cannot_be_loaded_is_left_at_once_with_its_own_reason() -> None:
    trial = Bench().trial(NEW)
    trial.refuse("models-missing")
    assert (trial.plan, trial.problem, trial.mendable) == (OLD, "models-missing", True)


def test_another_way_of_looking_goes_back_alone() -> None:
    bench = Bench()
    trial = bench.trial(Plan("old", OTHER_LOOK))
    for _ in range(MOST_DEATHS):
        trial.died()
    assert (trial.plan, trial.problem) == (OLD, SETTINGS_UNHEALTHY)


def test_of_a_new_pack_and_new_settings_the_pack_goes_back_first() -> None:
    trial = Bench().trial(Plan("new", OTHER_LOOK))
    trial.refuse()
    assert (trial.plan, trial.problem) == (Plan("old", OTHER_LOOK), PACK_UNHEALTHY)
    trial.refuse()
    assert trial.plan == OLD
    trial.refuse()
    assert (trial.plan, trial.problem) == (OLD, PACK_UNHEALTHY)  # nothing is left to go back to


def test_without_anything_that_worked_the_first_pack_is_what_is_left() -> None:
    trial = Bench().trial(NEW, good=None)
    trial.refuse("model-damaged")
    assert (trial.plan, trial.problem) == (OLD, "model-damaged")
    alone = Bench().trial(OLD, good=None)
    alone.refuse("models-missing")
    assert (alone.plan, alone.problem) == (OLD, "")


def test_what_runs_goes_on_until_the_new_pack_has_been_loaded_beside() -> None:
    bench = Bench()
    trial = bench.trial(OLD)
    trial.want(Plan("new", OTHER_LOOK), running="old")
    assert trial.plan == Plan("old", OTHER_LOOK)
    trial.rehearsed_badly("models-missing")
    bench.works(trial, HEALTHY_S)
    assert (trial.plan, trial.problem) == (Plan("old", OTHER_LOOK), "models-missing")
    trial.take_up()
    assert (trial.plan, trial.problem) == (Plan("new", OTHER_LOOK), "")
    trial.refuse("vision")
    assert trial.plan == Plan("old", OTHER_LOOK)


def test_a_newer_plan_is_tried_afresh() -> None:
    trial = Bench().trial(NEW)
    trial.refuse()
    newer = Plan("newer", LOOK)
    trial.want(newer, running="old")
    assert (trial.plan, trial.wanted, trial.problem) == (OLD, newer, "")


def test_before_the_server_has_said_anything_nothing_is_kept() -> None:
    bench = Bench()
    bench.works(bench.trial(Plan("old"), good=None), HEALTHY_S)
    assert bench.kept == []


@pytest.mark.parametrize("plan", [OLD, Plan("new", OTHER_LOOK)])
def test_what_worked_survives_a_restart(engine: Engine, plan: Plan) -> None:
    assert load_plan(engine) is None
    keep_plan(engine, plan)
    keep_plan(engine, plan)
    assert load_plan(engine) == plan
