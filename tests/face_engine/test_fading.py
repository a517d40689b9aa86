"""A person is asked to renew when refusals have become likely, and not before."""

from collections.abc import Iterable

import numpy as np
import pytest

from face_engine.fading import LEAST_MATCHES, Margins


def _after(margins: Iterable[float]) -> Margins:
    found = Margins()
    for margin in margins:
        found = found.after(float(margin))
    return found


def _accepted(usual: float, scatter: float, count: int, seed: int) -> list[float]:
    """Margins of accepted sightings: those below the threshold were refused and are not seen."""
    drawn = np.random.default_rng(seed).normal(usual, scatter, 4 * count)
    return [float(margin) for margin in drawn[drawn >= 0][:count]]


@pytest.mark.parametrize("seed", range(20))
def test_a_face_that_fits_is_left_alone_and_one_that_is_often_refused_is_not(seed: int) -> None:
    assert not _after(_accepted(0.28, 0.06, 400, seed)).faded  # a refusal in 600,000
    assert _after(_accepted(0.03, 0.06, 400, seed)).faded  # one in three


@pytest.mark.parametrize("seed", range(5))
def test_one_that_fades_with_time_is_noticed_and_one_renewed_is_not(seed: int) -> None:
    fresh = list(_accepted(0.28, 0.05, 300, seed))
    fading = [*fresh, *_accepted(0.02, 0.05, 200, seed + 1)]
    assert not _after(fresh).faded
    assert _after(fading).faded
    assert not _after([*fading, *_accepted(0.28, 0.05, 300, seed + 2)]).faded


def test_a_few_matches_say_nothing() -> None:
    assert not _after([0.001, 0.03] * (LEAST_MATCHES // 2 - 1)).faded


def test_what_is_kept_does_not_grow_and_comes_back() -> None:
    found = _after(_accepted(0.2, 0.05, 1000, 0))
    assert found.matches == LEAST_MATCHES
    assert len(found.to_bytes()) == len(Margins().to_bytes()) == 20
    assert Margins.from_bytes(found.to_bytes()) == found
    with pytest.raises(ValueError, match="margins"):
        Margins.from_bytes(b"short")
