import numpy as np
import pytest

from face_engine.evaluation.discarding import error_versus_discard
from face_engine.evaluation.identification import Trial


def trial(quality: np.ndarray) -> Trial:
    """200 probes of 100 people; the first 20 are refused at any threshold of strangers."""
    return Trial(
        gallery_size=100,
        mated=np.where(np.arange(200) < 20, 0.1, 0.9),
        mated_people=np.arange(200) // 2,
        mated_quality=quality,
        non_mated=np.linspace(0.2, 0.5, 300),
        non_mated_people=np.arange(300),
    )


def test_a_quality_that_knows_the_errors_catches_all_of_them_first() -> None:
    points = error_versus_discard(trial(np.arange(200) / 200))
    assert points[0].fnir.value == 0.1
    assert points[0].errors_caught == 0
    half, all_ = points[3], points[4]
    assert (half.discard, half.errors_caught) == (0.05, 0.5)
    assert half.fnir.value == pytest.approx(10 / 190)
    assert (all_.discard, all_.errors_caught, all_.fnir.value) == (0.1, 1.0, 0.0)
    assert all_.fnir.high > 0
    assert all_.quality == pytest.approx(0.1)


def test_a_quality_that_knows_nothing_catches_what_it_leaves_out() -> None:
    shuffled = np.random.default_rng(0).permutation(200) / 200
    last = error_versus_discard(trial(shuffled))[-1]
    assert last.discard == 0.3
    assert last.fnir.value == pytest.approx(0.1, abs=0.04)


def test_without_errors_there_is_nothing_to_catch() -> None:
    perfect = Trial(
        gallery_size=2,
        mated=np.full(4, 0.9),
        mated_people=np.array([0, 0, 1, 1]),
        mated_quality=np.ones(4),
        non_mated=np.zeros(5),
        non_mated_people=np.arange(5),
    )
    points = error_versus_discard(perfect)
    assert all(point.errors_caught is None for point in points)
    assert all(point.fnir.value == 0 for point in points)
