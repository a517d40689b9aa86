"""What an estate's own scores say of strangers, and how strict that makes its doors.

A public calibration understates the risk where people resemble one another. Two kinds of scores
tell an estate's own: the best score of each person's template among everybody else's, and of each
accepted sighting among everybody but the one it shows. Both are what a stranger of this
population would reach in a gallery of that size, the second also with this camera and light.
They are kept as counts in bins and as nothing else: no ids, no times, no order.

Families live together and are alike; strangers at a door are no family of the whole gallery. So
people of one household are not compared with each other.
"""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from face_engine.calibration import Calibration
from face_engine.faces import Vectors
from face_engine.score_curve import SUPPORT, ScoreCurve, at_size

BINS: Final = 100
"""From cosine 0 to 1; lower scores count in the lowest bin, only the highest matter."""
MOST_SCORES: Final = 20_000
"""At so many a histogram is halved, so that it follows the estate: cameras are replaced, people
move. Half of it is from the last 10,000 sightings, then."""
LEAST_SCORES: Final = 20
"""Fewer independent scores than this are no population to speak of."""
COMPARED_AT: Final = 10.0
"""Where so many independent scores lie above, an estate's are held against the public ones: three
show a rate, but where they lie is mostly chance, and doors would be stricter for it."""
PER_PERSON: Final = 2
"""How many independent scores the sightings of one person are worth, however many there are: who
resembles somebody does so every day. Among press photos of 430 people, whether one scores among
the top tenth goes by person so far (intra-class correlation 0.25) that any number is worth four;
the pictures of one camera are more alike than those."""
MOST_TIMES: Final = 100.0
"""An estate's own scores count as at most so many times the public rate. What goes beyond is no
population any more, but people enrolled twice."""

_QUERIES: Final = 2_000
"""Templates compared with all others at most: a sample, drawn evenly, where there are more."""
_ROWS_AT_ONCE: Final = 256


class Basis(StrEnum):
    """Whose scores set a threshold."""

    PUBLIC = "public"
    PEOPLE = "people"
    SIGHTINGS = "sightings"


@dataclass(frozen=True, slots=True)
class ScoreHistogram:
    """Best scores among everybody else, counted in bins.

    Attributes:
        counts: `BINS` whole numbers.
        compared: over all scores, how many people each is the best of.
    """

    counts: tuple[int, ...] = (0,) * BINS
    compared: int = 0

    def __post_init__(self) -> None:
        if len(self.counts) != BINS or min(*self.counts, self.compared) < 0:
            raise ValueError(f"a histogram has {BINS} counts, none below 0")

    @property
    def total(self) -> int:
        """Scores counted."""
        return sum(self.counts)

    @property
    def gallery_size(self) -> float:
        """People that a score is the best of, on average; at least 1."""
        return max(1.0, self.compared / max(1, self.total))

    @property
    def independent(self) -> float:
        """How many scores of different people these are worth."""
        # Whoever is compared with all others is one of so many and one more.
        return min(float(self.total), PER_PERSON * (self.gallery_size + 1))

    def with_score(self, score: float, people: int) -> "ScoreHistogram":
        """Count one more: the best cosine among `people` people, at least 1."""
        half = self if self.total < MOST_SCORES else self._halved()
        place = min(max(int(score * BINS), 0), BINS - 1)
        counts = (*half.counts[:place], half.counts[place] + 1, *half.counts[place + 1 :])
        return ScoreHistogram(counts, half.compared + people)

    def together(self, other: "ScoreHistogram") -> "ScoreHistogram":
        """All scores of both."""
        counts = tuple(map(sum, zip(self.counts, other.counts, strict=True)))
        return ScoreHistogram(counts, self.compared + other.compared)

    def level(self, rate: float) -> float:
        """The score that a share `rate` of all lies at or above, straight within its bin."""
        # Scores at or above each bin's lower edge, and above the last one's upper edge.
        above = np.append(np.cumsum(self.counts[::-1])[::-1], 0).astype(float)
        allowed = rate * self.total
        fitting = int(np.argmax(above <= allowed + 1e-9))
        if fitting == 0:
            return 0.0
        in_bin = above[fitting - 1] - above[fitting]
        return float(fitting - (allowed - above[fitting]) / in_bin) / BINS

    def _halved(self) -> "ScoreHistogram":
        # An odd one stays or goes by chance: rounding either way would bend the tail.
        counts = tuple(count // 2 + (count % 2 and secrets.randbelow(2)) for count in self.counts)
        return ScoreHistogram(counts, round(self.gallery_size * sum(counts)))


NOTHING: Final = ScoreHistogram()


@dataclass(frozen=True, slots=True)
class OwnScores:
    """All that an estate knows of its own: scores between its people, and at one door."""

    people: ScoreHistogram = NOTHING
    sightings: ScoreHistogram = NOTHING


NO_SCORES: Final = OwnScores()


@dataclass(frozen=True, slots=True)
class OwnThreshold:
    """What an estate's own scores ask for.

    Attributes:
        value: cosine, in whole bins.
        supported: True when these scores can show the rate; False when they speak of the lowest
            rate that they can show, and the public tail of the rest.
        bounded: True when they ask for more than `MOST_TIMES` allows.
    """

    value: float
    supported: bool
    bounded: bool


def own_threshold(
    histogram: ScoreHistogram,
    public: Calibration,
    like: ScoreCurve,
    fpir: float,
    gallery_size: int,
) -> OwnThreshold | None:
    """The threshold at which a stranger finds somebody with probability `fpir`; None: too few.

    It lies above the public one by as much as the estate's scores lie above the public ones of
    the same kind, at the lowest rate at which ten of the estate's lie above. Compared with each
    other, templates score higher than a frame with a template does; compared with public
    templates, an estate's say how much more alike its people are.

    Args:
        histogram: the estate's, or one door's.
        public: the prior of this template space: where the threshold starts, and the bound.
        like: the public scores of the same kind.
        fpir: of one attempt, between 0 and 1.
        gallery_size: for which the threshold is set.

    Raises:
        ValueError: `fpir` is not between 0 and 1, or the gallery size not positive.
    """
    if histogram.independent < LEAST_SCORES:
        return None
    rate = at_size(fpir, gallery_size, histogram.gallery_size)
    steady = max(rate, COMPARED_AT / histogram.independent)
    above = histogram.level(steady) - like.threshold(steady, histogram.gallery_size).value
    most = public.strangers.tail_scale * math.log(MOST_TIMES)
    value = public.threshold(fpir, gallery_size).value + min(above, most)
    return OwnThreshold(
        value=math.ceil(value * BINS - 1e-9) / BINS,
        supported=rate >= SUPPORT / histogram.independent and above <= most,
        bounded=above > most,
    )


def shown_rate(histogram: ScoreHistogram, gallery_size: int) -> float | None:
    """The lowest FPIR at a gallery size that these scores can show; None: too few scores."""
    if histogram.independent < LEAST_SCORES:
        return None
    return at_size(SUPPORT / histogram.independent, histogram.gallery_size, gallery_size)


def between(templates: Vectors, households: Sequence[str] | None = None) -> ScoreHistogram:
    """Each person's best score among everybody else's templates.

    Args:
        templates: (N, d), of N people.
        households: the N people's; those of one are not compared, those of "" are of none.
    """
    count = len(templates)
    names = np.asarray([""] * count if households is None else households)
    homes = np.unique(names, return_inverse=True)[1].astype(np.int64)
    homes[names == ""] = -1
    counts = np.zeros(BINS, np.int64)
    compared = 0
    rows = np.linspace(0, count - 1, min(count, _QUERIES)).astype(np.int64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        chosen = rows[start : start + _ROWS_AT_ONCE]
        others = _others(homes, chosen)
        people = others.sum(axis=1)
        best = np.where(others, templates[chosen] @ templates.T, -1.0).max(axis=1)[people > 0]
        counts += np.bincount(np.clip((best * BINS).astype(np.int64), 0, BINS - 1), minlength=BINS)
        compared += int(people.sum())
    return ScoreHistogram(tuple(counts.tolist()), compared)


def _others(homes: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(M, N): whom each chosen person is compared with."""
    others: NDArray[np.bool_] = (homes[chosen][:, None] != homes) | (homes < 0)
    others[np.arange(len(chosen)), chosen] = False
    return others


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A door's threshold, and what it rests on.

    Attributes:
        value: cosine; a best score at or above it is a match.
        supported: whether scores were measured that can show the rate asked for.
        basis: whose scores decide: the public calibration's, those between the estate's own
            people, or those of the sightings at the door.
        bounded: whether the estate's own scores ask for more than is believed of them.
    """

    value: float
    supported: bool
    basis: Basis
    bounded: bool


def reckon(public: Calibration, own: OwnScores, fpir: float, gallery_size: int) -> Reckoning:
    """The strictest threshold of the public calibration and the estate's own scores.

    Args:
        public: of the template space: the start.
        own: the estate's, of one door.
        fpir: of one attempt, between 0 and 1.
        gallery_size: for which the threshold is set.

    Raises:
        ValueError: `fpir` is not between 0 and 1, or the gallery size not positive.
    """
    prior = public.threshold(fpir, gallery_size)
    found = Reckoning(prior.value, prior.supported, Basis.PUBLIC, bounded=False)
    for basis, histogram, like in (
        (Basis.PEOPLE, own.people, public.templates),
        (Basis.SIGHTINGS, own.sightings, public.strangers),
    ):
        asked = own_threshold(histogram, public, like, fpir, gallery_size)
        if asked is None:
            continue
        stricter = asked.value > found.value
        found = Reckoning(
            value=max(asked.value, found.value),
            # Scores nearer to the door vouch for a threshold that is stricter than they ask.
            supported=asked.supported or (found.supported and not stricter),
            basis=basis if stricter else found.basis,
            bounded=found.bounded or asked.bounded,
        )
    return found


def steadied(told: float, wanted: float) -> float:
    """The threshold to tell a door that works by `told`: stricter at once, laxer late.

    A value that went back by a bin or less stays, so that scores at a bin's edge do not have
    doors reconfigured to and fro.
    """
    return told if 0 < round((told - wanted) * BINS, 6) <= 1 else wanted
