"""95% bounds by resampling subjects.

Scores of one person depend on one another, so people are drawn, not scores: each of R replicates
draws as many people as there are, with replacement, and each score counts as often as its people
were drawn. R. M. Bolle, N. K. Ratha, S. Pankanti, "Error analysis of pattern recognition systems:
the subsets bootstrap", Computer Vision and Image Understanding 93 (2004).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPLICATES = 1000
_LOW, _HIGH = 2.5, 97.5
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Bounded:
    """A rate with its 95% bounds."""

    value: float
    low: float
    high: float


def draws(people: int, seed: int = 0) -> Iterator[NDArray[np.int64]]:
    """How often each of `people` people is drawn, per replicate: arrays (batch, people)."""
    source = np.random.default_rng(seed)
    for _ in range(REPLICATES // _BATCH):
        yield source.multinomial(people, np.full(people, 1 / people), size=_BATCH)


def most_unseen(subjects: int) -> float:
    """The exact upper 95% bound of a rate without one event in so many trials.

    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934); about 3.7/n.
    """
    return float(1 - (1 - _HIGH / 100) ** (1 / max(subjects, 1)))


def percentiles(replicates: NDArray[np.float64]) -> tuple[float, float]:
    """The 95% bounds that the replicates give."""
    low, high = np.percentile(replicates, (_LOW, _HIGH))
    return float(low), float(high)


def bounded(value: float, replicates: NDArray[np.float64], subjects: int) -> Bounded:
    """A rate with the percentiles of its replicates.

    Resampling a sample without errors says zero for ever; the exact bound of no events in
    `subjects` trials then stands in, on either side.
    """
    low, high = percentiles(replicates)
    if value == 0:
        high = max(high, most_unseen(subjects))
    if value == 1:
        low = min(low, 1 - most_unseen(subjects))
    return Bounded(value, low, high)


def share(events: NDArray[np.float64], trials: NDArray[np.float64]) -> Bounded | None:
    """A rate from each person's events and trials, with bounds by drawing the people."""
    counted = trials > 0
    events, trials = events[counted], trials[counted]
    if not len(trials):
        return None
    replicates = np.concatenate(
        [(drawn @ events) / (drawn @ trials) for drawn in draws(len(trials))],
    )
    return bounded(float(events.sum() / trials.sum()), replicates, len(trials))
