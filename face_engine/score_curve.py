"""Best scores in a gallery, kept as a curve: which share of them lies at or above which score.

What was measured is kept point by point; beyond it, the tail is extrapolated and said to be.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import neg
from typing import Final

import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Vectors

SUPPORT: Final = 3.0
"""An event expected fewer than three times in the data may as well be three times as frequent
(rule of three: no event in n trials bounds the rate at 3/n with 95% confidence)."""
_TAIL_SHARE: Final = 0.1
"""Share of best scores, from the top, that the tail is fitted to."""
_PAIRS_TAIL_SHARE: Final = 0.001
"""The same of single comparisons, few of which come near to a best score."""
_POINTS: Final = 40


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold for one sighting.

    Attributes:
        value: cosine; a best score at or above it is a match.
        supported: True when enough scores were measured to show such a rate; False when the
            value is extrapolated from their tail.
    """

    value: float
    supported: bool


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """Best scores, each among all others of a gallery.

    Attributes:
        gallery_size: people that each score is the best of.
        count: scores measured, one per person.
        rates: falling shares of them ...
        scores: ... and the lowest scores that such a share lies at or above.
        tail_rate: share at `tail_score`, from where the tail is extrapolated.
        tail_score: see `tail_rate`.
        tail_scale: cosine over which the share falls by e beyond `tail_score`.
    """

    gallery_size: int
    count: int
    rates: tuple[float, ...]
    scores: tuple[float, ...]
    tail_rate: float
    tail_score: float
    tail_scale: float

    def measured_rate(self, rate: float, gallery_size: float) -> float:
        """The share in the measured gallery that is `rate` in one of another size.

        Raises:
            ValueError: `rate` is not between 0 and 1, or the gallery size not positive.
        """
        if not 0 < rate < 1 or gallery_size < 1:
            raise ValueError("fpir must lie between 0 and 1, the gallery hold at least one person")
        return at_size(rate, gallery_size, self.gallery_size)

    def threshold(self, rate: float, gallery_size: float) -> Threshold:
        """The score that a share `rate` lies at or above, in a gallery of any size.

        Raises:
            ValueError: as in `measured_rate`.
        """
        here = self.measured_rate(rate, gallery_size)
        if here * self.count >= SUPPORT:
            return Threshold(self._between_measured(here), supported=True)
        beyond = self.tail_scale * math.log(self.tail_rate / here)
        return Threshold(max(self.tail_score + beyond, self.scores[-1]), supported=False)

    def _between_measured(self, rate: float) -> float:
        """Between measured shares, which fall, straight in their logarithm.

        Asked for at every match, so without making arrays of the whole table.
        """
        place = bisect_left(self.rates, -rate, key=neg)
        if place in {0, len(self.rates)}:
            return self.scores[min(place, len(self.scores) - 1)]
        above, below = self.rates[place - 1 : place + 1]
        part = math.log(above / rate) / math.log(above / below)
        return self.scores[place - 1] + part * (self.scores[place] - self.scores[place - 1])


def at_size(rate: float, size: float, other: float) -> float:
    """The share in a gallery of `other` people that is `rate` in one of `size`.

    A gallery is reckoned as that many independent comparisons, `1 - (1 - FPIR)^(N'/N)`:
    ISO/IEC 19795-1's model.
    """
    # expm1 and log1p, because rates of one in millions drown in 1 - x.
    return -math.expm1(math.log1p(-rate) * other / size)


def measure(scores: NDArray[np.float64], gallery_size: int) -> ScoreCurve:
    """The curve of (N,) best scores, each in a gallery of so many people."""
    return _curve(scores, gallery_size, _TAIL_SHARE)


def measure_pairs(vectors: Vectors) -> ScoreCurve:
    """The curve of the scores of (N, d) vectors of N people with one another.

    Single comparisons are a gallery of one. From there galleries of any size are reckoned up;
    reckoned down from the best of a thousand, nearly every score of a small gallery would lie
    where few are measured.
    """
    rows, columns = np.triu_indices(len(vectors), k=1)
    scores = np.asarray((vectors @ vectors.T)[rows, columns], np.float64)
    return _curve(scores, 1, _PAIRS_TAIL_SHARE)


def _curve(scores: NDArray[np.float64], gallery_size: int, tail_share: float) -> ScoreCurve:
    rates, levels = rate_table(scores)
    rate, level, scale = fit_tail(scores, tail_share)
    return ScoreCurve(
        gallery_size, len(scores), rounded(rates), rounded(levels), rate, level, scale
    )


def fit_tail(scores: NDArray[np.float64], share: float = _TAIL_SHARE) -> tuple[float, float, float]:
    """(rate, score, scale) of an exponential tail fitted to a top share of the scores.

    The excess over a high enough level of nearly any distribution is close to exponential or
    shorter-tailed; the mean excess is its maximum-likelihood scale (J. Pickands, "Statistical
    inference using extreme order statistics", Annals of Statistics 3, 1975).
    """
    falling = np.sort(scores)[::-1]
    count = max(2, int(len(falling) * share))
    level = float(falling[count - 1])
    return count / len(falling), level, float(np.mean(falling[:count] - level))


def rate_table(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """(rates, scores): levels at falling shares, from everybody to three of them.

    Dense at both ends: a rare event in a large gallery is the upper one, and nearly every score
    of a large gallery is a rare one of a small gallery.
    """
    rising = np.sort(scores)
    least = min(0.5, SUPPORT / len(rising))
    falling = np.geomspace(1.0, min(1.0, SUPPORT / len(rising)), _POINTS)
    rates = np.unique(np.concatenate((falling, 1 - np.geomspace(least, 0.5, _POINTS))))[::-1]
    allowed = np.maximum(np.floor(rates * len(rising) + 1e-9).astype(int), 1)
    return allowed / len(rising), rising[len(rising) - allowed]


def rounded(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, ...]:
    """Six digits: as many as a calibration's file needs."""
    return tuple(float(f"{float(value):.6g}") for value in values)
