import math

import pytest

from face_engine.calibration import load
from face_engine.error_budget import (
    ATTEMPTS,
    DAYS_PER_MONTH,
    STEP,
    TOGETHER,
    ErrorBudget,
    explain,
    size_ahead,
)
from face_engine.self_calibration import NO_SCORES, reckon
from tier_link.estate_messages import DoorConfigured

SHIPPED = load("sface-2021dec-int8bq-centred")


def test_the_budget_is_shared_among_all_attempts_of_all_sightings() -> None:
    budget = ErrorBudget(wrong_openings_per_month=2, strangers_per_day=100, attempts=4)
    assert budget.fpir * TOGETHER * 100 * DAYS_PER_MONTH == pytest.approx(2)
    assert ErrorBudget(2, 100, attempts=1).fpir * 100 * DAYS_PER_MONTH == pytest.approx(2)


def test_it_counts_the_attempts_that_doors_make() -> None:
    (attempts,) = (
        default
        for name, default in zip(
            DoorConfigured.__struct_fields__[-len(DoorConfigured.__struct_defaults__) :],
            DoorConfigured.__struct_defaults__,
            strict=True,
        )
        if name == "attempts"
    )
    assert attempts == ATTEMPTS


def test_a_budget_that_asks_for_nothing_is_still_a_rate() -> None:
    assert ErrorBudget(1000, 0.1, attempts=1).fpir == 0.5


def test_the_threshold_is_set_ahead_of_the_gallery() -> None:
    assert [size_ahead(people) for people in (0, 16, 17, 20, 21)] == [16, 16, 20, 20, 25]
    budget = ErrorBudget(1, 50)
    assert budget.reckon(SHIPPED, 17) == budget.reckon(SHIPPED, 20)


@pytest.mark.parametrize("people", [17, 51, 100, 1_234, 10_000])
def test_a_gallery_is_never_judged_by_the_threshold_of_a_much_larger_one(people: int) -> None:
    ahead = size_ahead(people)
    assert people <= ahead <= math.ceil(people * STEP)
    budget = ErrorBudget(1, 50)
    real = reckon(SHIPPED, NO_SCORES, budget.fpir, people).value
    assert real <= budget.reckon(SHIPPED, people).value <= real + 0.02


@pytest.mark.parametrize("people", [50, 3000])
def test_a_budget_is_supported_exactly_from_what_the_explanation_names(people: int) -> None:
    named = explain(ErrorBudget(1, 50), SHIPPED, people=people, frames=2).supported_budget
    for budget, supported in ((named * 1.001, True), (named * 0.999, False)):
        result = explain(ErrorBudget(budget, 50), SHIPPED, people=people, frames=2)
        assert result.threshold.supported is supported
        assert result.expected_strangers == pytest.approx(3, rel=0.01)


def test_a_stricter_budget_refuses_more() -> None:
    rates = []
    for wrong_openings in (100, 1, 0.01):
        refusal = explain(ErrorBudget(wrong_openings, 50), SHIPPED, people=1000, frames=1).refusal
        assert refusal is not None
        assert refusal.low <= refusal.rate <= refusal.high
        rates.append(refusal.rate)
    assert rates == sorted(rates)
    assert rates[0] < rates[-1]
