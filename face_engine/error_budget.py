"""From "so many wrong openings a month" to a threshold, and what can be said for it.

An estate states what it accepts and how many strangers its doors see; the size of its gallery
and the model's calibration give the rest. Servers, doors and `gatehouse threshold` reckon here.
"""

import math
from dataclasses import dataclass
from typing import Final

from face_engine.calibration import Calibration, Refusal
from face_engine.score_curve import SUPPORT, at_size
from face_engine.self_calibration import (
    NO_SCORES,
    Basis,
    OwnScores,
    Reckoning,
    reckon,
    shown_rate,
)

DAYS_PER_MONTH: Final = 30.44
ATTEMPTS: Final = 3
"""Probes that a door may try in one sighting, each of more frames than the last."""
TOGETHER: Final = 2.0
"""What three such probes let in, as many times what one two-frame probe does, of which the
calibration is. On photos of 629 people, fused by one, two and three, any of the three lets in 1.4
to 2.0 times as many strangers as the two (cosines 0.36 to 0.44), and of 218 people, fused by two,
four and six, 1.6 to 2.6 times, the last of 5 strangers: probes of one person fail together."""
SMALLEST_GALLERY: Final = 16
"""People for whom the threshold is set at least."""
STEP: Final = 1.25
"""The threshold moves in such steps, always ahead of the gallery, so that doors are not
reconfigured with every newcomer. It is at most 0.02 higher than the real gallery's would be."""
MOST_FPIR: Final = 0.5
"""Share of strangers' sightings. Beyond this a budget asks for nothing."""


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """What an estate accepts.

    Attributes:
        wrong_openings_per_month: of people who are not enrolled, over all doors; above 0.
        strangers_per_day: sightings of such people, over all doors; above 0.
        attempts: probes that one sighting may try; at least 1.
    """

    wrong_openings_per_month: float
    strangers_per_day: float
    attempts: int = ATTEMPTS

    @property
    def sightings_per_month(self) -> float:
        """Sightings of strangers in a month."""
        return self.strangers_per_day * DAYS_PER_MONTH

    @property
    def fpir(self) -> float:
        """The false positive identification rate that one attempt may have."""
        per_sighting = min(MOST_FPIR, self.wrong_openings_per_month / self.sightings_per_month)
        return per_sighting / self.together

    @property
    def together(self) -> float:
        """As many times as one attempt's rate is all attempts' of a sighting."""
        return min(float(self.attempts), TOGETHER)

    def reckon(
        self, calibration: Calibration, people: int, own: OwnScores = NO_SCORES
    ) -> Reckoning:
        """The threshold of one attempt against a gallery of so many people."""
        return reckon(calibration, own, self.fpir, size_ahead(people))


def size_ahead(people: int) -> int:
    """The size of gallery that a threshold is set for while it holds so many people."""
    size = SMALLEST_GALLERY
    while size < people:
        size = math.ceil(size * STEP)
    return size


@dataclass(frozen=True, slots=True)
class Explanation:
    """A budget's threshold, and how far the data carries it.

    Attributes:
        gallery_size: for which the threshold is set.
        threshold: of one attempt.
        expected_strangers: how many of the measured strangers would get through at this rate.
        supported_budget: the fewest wrong openings a month that the scores can show.
        refusal: expected false refusals at the first attempt; None where the calibration has
            no enrolled people's scores.
    """

    gallery_size: int
    threshold: Reckoning
    expected_strangers: float
    supported_budget: float
    refusal: Refusal | None


def explain(
    budget: ErrorBudget,
    calibration: Calibration,
    *,
    people: int,
    frames: int,
    own: OwnScores = NO_SCORES,
) -> Explanation:
    """What a budget comes to for a gallery of `people`, at doors that fuse `frames` a probe."""
    size = size_ahead(people)
    threshold = budget.reckon(calibration, people, own)
    public = calibration.strangers
    shown = {
        Basis.PUBLIC: at_size(SUPPORT / public.count, public.gallery_size, size),
        Basis.PEOPLE: shown_rate(own.people, size),
        Basis.SIGHTINGS: shown_rate(own.sightings, size),
    }
    # Who sets the threshold vouches for it, and so does whoever is nearer to the door.
    vouching = list(shown)[list(shown).index(threshold.basis) :]
    return Explanation(
        gallery_size=size,
        threshold=threshold,
        expected_strangers=public.measured_rate(budget.fpir, size) * public.count,
        supported_budget=min(rate for basis in vouching if (rate := shown[basis]))
        * budget.together
        * budget.sightings_per_month,
        refusal=calibration.refusal(threshold.value, frames),
    )
