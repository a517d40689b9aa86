"""An estate's own scores make doors stricter as far as they can show it, and never laxer."""

import dataclasses

import numpy as np
import pytest

from face_engine.calibration import load
from face_engine.error_budget import ErrorBudget, explain
from face_engine.faces import Vectors
from face_engine.self_calibration import (
    BINS,
    LEAST_SCORES,
    MOST_SCORES,
    MOST_TIMES,
    NO_SCORES,
    NOTHING,
    Basis,
    OwnScores,
    ScoreHistogram,
    between,
    own_threshold,
    reckon,
    steadied,
)
from tier_link.estate_messages import SCORE_BINS

SHIPPED = load("sface-2021dec-int8bq-centred")


def _unit(rng: np.random.Generator, count: int, common: float = 0.0) -> Vectors:
    """Random faces; `common` moves all of them towards one face."""
    vectors = rng.standard_normal((count, 64)) + common * np.ones(64)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _counted(scores: list[float], people: int) -> ScoreHistogram:
    histogram = NOTHING
    for score in scores:
        histogram = histogram.with_score(score, people)
    return histogram


ALIKE = OwnScores(
    people=_counted([0.33, 0.36, 0.4] * 133, 399), sightings=_counted([0.36, 0.42] * 900, 400)
)
FAR = OwnScores(sightings=_counted([0.25, 0.3] * 5000, 3000))


def test_the_wire_and_the_engine_count_in_the_same_bins() -> None:
    assert SCORE_BINS == BINS


def test_a_histogram_holds_counts_and_nothing_else() -> None:
    one = _counted([0.31, 0.555, 0.2], 40)
    other = _counted([0.2, 0.31, 0.555], 40)
    assert one == other  # no order
    assert {field.name for field in dataclasses.fields(one)} == {"counts", "compared"}
    assert (one.total, one.gallery_size) == (3, 40)
    assert one.together(other).total == 6


@pytest.mark.parametrize("score", [-1.0, -0.001, 0.0, 0.999, 1.0, 1.001])
def test_any_cosine_has_a_place(score: float) -> None:
    assert NOTHING.with_score(score, 5).total == 1


@pytest.mark.parametrize("counts", [(0,) * (BINS - 1), (*(0,) * (BINS - 1), -1)])
def test_nonsense_is_no_histogram(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="histogram"):
        ScoreHistogram(counts)


def test_it_forgets_so_that_it_follows_the_estate() -> None:
    old = _counted([0.7] * 9, 10)
    histogram = ScoreHistogram((MOST_SCORES - 9, *old.counts[1:]), 10 * MOST_SCORES)
    for _ in range(4 * MOST_SCORES):
        histogram = histogram.with_score(0.2, 100)
    assert histogram.total <= MOST_SCORES
    assert sum(histogram.counts[60:]) <= 3
    assert histogram.gallery_size > 95


def test_a_level_keeps_to_its_share() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.1, 0.6, 1000)
    histogram = _counted(scores.tolist(), 50)
    for rate in (1.0, 0.5, 0.1, 0.01, 0.001):
        level = histogram.level(rate)
        assert (scores >= level + 1 / BINS).mean() <= rate
        assert (scores >= level - 1 / BINS).mean() >= rate


def test_few_scores_say_nothing_and_many_of_few_people_little() -> None:
    assert (
        own_threshold(
            _counted([0.9] * (LEAST_SCORES - 1), 500), SHIPPED, SHIPPED.strangers, 0.01, 100
        )
        is None
    )
    assert own_threshold(_counted([0.9] * 5000, 8), SHIPPED, SHIPPED.strangers, 0.01, 100) is None
    assert (
        own_threshold(_counted([0.3] * 5000, 400), SHIPPED, SHIPPED.strangers, 0.01, 400)
        is not None
    )
    assert _counted([0.3] * 5000, 400).independent == 802


def test_a_rate_is_supported_exactly_where_three_are_expected() -> None:
    histogram = _counted([0.3] * 300, 299)
    for rate, supported in ((0.0101, True), (0.0099, False)):
        found = own_threshold(histogram, SHIPPED, SHIPPED.strangers, rate, 299)
        assert found is not None
        assert found.supported is supported


def test_people_alike_make_the_doors_stricter_and_others_do_not() -> None:
    rng = np.random.default_rng(1)
    public = reckon(SHIPPED, NO_SCORES, 1e-3, 400)
    assert public.basis is Basis.PUBLIC
    far = reckon(SHIPPED, OwnScores(people=_counted([0.2] * 400, 399)), 1e-3, 400)
    assert (far.value, far.basis) == (public.value, Basis.PUBLIC)
    alike = _counted(rng.normal(0.37, 0.03, 400).tolist(), 399)
    for own, basis in (
        (OwnScores(people=alike), Basis.PEOPLE),
        (OwnScores(sightings=alike), Basis.SIGHTINGS),
    ):
        found = reckon(SHIPPED, own, 1e-3, 400)
        assert found.value > public.value
        assert found.basis is basis
        assert not found.bounded


def test_double_entries_move_the_doors_by_a_bounded_step_and_are_named() -> None:
    public = SHIPPED.threshold(1e-3, 400).value
    found = reckon(SHIPPED, OwnScores(people=_counted([0.95] * 400, 399)), 1e-3, 400)
    assert found.bounded
    most = public + SHIPPED.strangers.tail_scale * np.log(MOST_TIMES)
    assert most <= found.value < most + 1 / BINS
    pair = _counted([0.3] * 398 + [0.95] * 2, 399)
    assert not reckon(SHIPPED, OwnScores(people=pair), 1e-3, 400).bounded


def test_own_scores_can_vouch_for_what_public_ones_cannot() -> None:
    budget = ErrorBudget(5, 50)
    without = explain(budget, SHIPPED, people=5000, frames=2)
    own = OwnScores(sightings=_counted([0.3] * 9000, 5000))
    measured = explain(budget, SHIPPED, people=5000, frames=2, own=own)
    assert not without.threshold.supported
    assert measured.supported_budget < without.supported_budget


@pytest.mark.parametrize("own", [NO_SCORES, ALIKE, FAR], ids=["none", "alike", "far"])
@pytest.mark.parametrize("wrong_openings", [0.5, 3, 30])
def test_a_budget_is_supported_exactly_from_what_is_vouched_for(
    own: OwnScores, wrong_openings: float
) -> None:
    found = explain(ErrorBudget(wrong_openings, 50), SHIPPED, people=400, frames=2, own=own)
    assert found.threshold.supported is (found.supported_budget <= wrong_openings)


def test_a_threshold_goes_up_at_once_and_down_not_by_a_single_bin() -> None:
    assert steadied(0.50, 0.51) == 0.51
    assert steadied(0.51, 0.50) == 0.51
    assert steadied(0.51, 0.497) == 0.497
    assert steadied(0.0, 0.5) == 0.5


def test_everybody_is_compared_with_everybody_else_but_their_household() -> None:
    rng = np.random.default_rng(2)
    people = _unit(rng, 700)
    people[1] = people[0]  # twins in one home
    people[3] = people[2]  # a double in another
    homes = ["1-1", "1-1", "2-1", "2-2", *[""] * 696]
    scores = people @ people.T
    np.fill_diagonal(scores, -1)
    scores[0, 1] = scores[1, 0] = -1
    expected = np.bincount(
        np.clip((scores.max(axis=1) * BINS).astype(int), 0, BINS - 1), minlength=BINS
    )
    found = between(people, homes)
    assert found.counts == tuple(expected.tolist())
    assert found.compared == 700 * 699 - 2
    assert between(people).counts[-1] == 4
    assert between(people[:2], ["1-1", "1-1"]).total == 0
    assert between(people[:0]) == NOTHING


def test_a_large_gallery_is_sampled() -> None:
    people = _unit(np.random.default_rng(3), 5000)
    assert between(people).total == 2000
