import math

import numpy as np
import pytest

from face_engine.score_curve import at_size, fit_tail, measure


def test_the_tail_of_exponential_scores_is_found() -> None:
    scores = np.random.default_rng(0).exponential(0.04, 20_000)
    rate, level, scale = fit_tail(scores)
    assert rate == pytest.approx(0.1)
    assert level == pytest.approx(0.04 * math.log(10), rel=0.05)
    assert scale == pytest.approx(0.04, rel=0.1)


def test_a_curve_gives_back_the_share_that_lies_above_a_level() -> None:
    scores = np.random.default_rng(1).exponential(0.04, 5000)
    curve = measure(scores, 200)
    for share in (0.5, 0.1, 0.01, 0.001):
        level = curve.threshold(share, 200)
        assert level.supported
        assert (scores >= level.value).mean() == pytest.approx(share, rel=0.15, abs=2e-4)
    assert not curve.threshold(1e-4, 200).supported


def test_few_scores_make_a_curve_that_supports_little() -> None:
    curve = measure(np.array([0.1, 0.2]), 5)
    assert not curve.threshold(0.5, 5).supported


def test_the_reckoning_to_another_size_is_there_and_back() -> None:
    assert at_size(at_size(1e-3, 40, 700), 700, 40) == pytest.approx(1e-3)
    assert at_size(1e-3, 40, 40) == pytest.approx(1e-3)


def test_the_best_of_many_tells_of_the_best_of_few() -> None:
    rng = np.random.default_rng(3)
    best_of_many = np.array([rng.normal(0, 0.1, 1000).max() for _ in range(3000)])
    best_of_few = np.array([rng.normal(0, 0.1, 25).max() for _ in range(20_000)])
    curve = measure(best_of_many, 1000)
    for share in (0.05, 0.1, 0.2):
        told = curve.threshold(share, 25).value
        assert told == pytest.approx(np.quantile(best_of_few, 1 - share), abs=0.02)
