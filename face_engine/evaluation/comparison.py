"""Two ways to enroll and probe, on the same people: does one refuse less than the other?

Two rates with overlapping bounds may still differ for certain, since both are of the same people.
So the people are drawn once for both, and what is bounded is the difference.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from face_engine.evaluation.bounds import Bounded, draws, most_unseen, percentiles
from face_engine.evaluation.identification import FPIRS, Trial, cast, fnir_replicates, run_trial
from face_engine.evaluation.subjects import Mirror, Subject
from face_engine.evaluation.verification import threshold_at


@dataclass(frozen=True, slots=True)
class Configuration:
    """What may differ: K photos enrolled, F frames a probe, and whose mirror images are fused."""

    gallery_photos: int
    probe_frames: int
    mirror: Mirror


@dataclass(frozen=True, slots=True)
class Difference:
    """FNIR of both at one FPIR, each at its own threshold.

    Attributes:
        fpir: asked of both.
        fnir: of the first configuration.
        against: of the second.
        difference: first minus second, with 95% bounds; below zero the first refuses less.
    """

    fpir: float
    fnir: float
    against: float
    difference: Bounded

    @property
    def significant(self) -> bool:
        """Whether the bounds leave zero out."""
        return self.difference.low > 0 or self.difference.high < 0


def compare(
    subjects: Sequence[Subject],
    first: Configuration,
    second: Configuration,
    fpirs: Sequence[float] = FPIRS,
) -> list[Difference]:
    """Paired differences of FNIR; both are probed with the same photos, which neither enrolls.

    Raises:
        EvaluationImpossible: the photos allow no identification.
    """
    held_out = max(first.gallery_photos, second.gallery_photos)
    trials = [
        run_trial(
            subjects,
            cast(
                subjects,
                gallery_photos=each.gallery_photos,
                probe_frames=each.probe_frames,
                held_out=held_out,
                block=math.lcm(first.probe_frames, second.probe_frames),
            ),
            each.mirror,
        )
        for each in (first, second)
    ]
    return [difference_at(trials[0], trials[1], fpir) for fpir in fpirs]


def difference_at(first: Trial, second: Trial, fpir: float) -> Difference:
    """The paired difference of two trials of the same people and photos."""
    people = np.unique(np.concatenate((first.mated_people, second.mated_people)))
    replicates = []
    # The strangers of both trials are the same people, in the same order.
    strangers = draws(len(first.non_mated), 1)
    for drawn_strangers, drawn_people in zip(strangers, draws(len(people), 2), strict=True):
        one, other = (
            fnir_replicates(
                trial,
                fpir,
                drawn_strangers,
                drawn_people[:, np.searchsorted(people, trial.mated_people)],
            )
            for trial in (first, second)
        )
        replicates.append(one - other)
    rates = [
        float(np.mean(each.mated < threshold_at(each.non_mated, fpir))) for each in (first, second)
    ]
    difference = rates[0] - rates[1]
    low, high = percentiles(np.concatenate(replicates))
    # Drawing people without errors finds none for ever. The exact bound of none is put together
    # with the other's as G. Y. Zou and A. Donner do (Statistics in Medicine 27, 2008).
    unseen = most_unseen(len(people))
    if rates[0] == 0:
        high = difference + math.hypot(unseen, high - difference)
    if rates[1] == 0:
        low = difference - math.hypot(unseen, difference - low)
    return Difference(fpir, rates[0], rates[1], Bounded(difference, low, high))
