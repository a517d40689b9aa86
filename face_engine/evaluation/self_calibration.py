"""What an estate of one group would get from the public calibration, and from its own.

The group is split at random, again and again: one half is enrolled, the other half are the
strangers at its doors. The public threshold comes from people outside the group, the estate's own
from nothing but the scores between its enrolled people's templates: the code is the estates' own
(`face_engine.self_calibration`). What a threshold promised is then held against what the
strangers did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from face_engine.calibration import Calibration
from face_engine.encoder import fuse
from face_engine.evaluation.bounds import Bounded, bounded
from face_engine.evaluation.subjects import Mirror, Subject
from face_engine.faces import Vectors
from face_engine.score_curve import measure, measure_pairs
from face_engine.self_calibration import (
    NO_SCORES,
    OwnScores,
    between,
    own_threshold,
    reckon,
)

FPIRS = (0.1, 0.05)
# Splits of which one figure is the mean, and resamplings of the group's people for its bounds.
_SPLITS = 5
_REPLICATES = 200
# An estate larger than this needs no simulation: its scores are many.
_LARGEST_HALF = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a threshold: the strangers' FPIR, and the enrolled people's FNIR.

    Attributes:
        fpir: share of strangers' probes that find somebody.
        fnir: share of enrolled people's probes below the threshold; None without any.
    """

    fpir: Bounded
    fnir: Bounded | None


@dataclass(frozen=True, slots=True)
class SelfCalibration:
    """One FPIR asked for, and what it came to.

    Attributes:
        asked: FPIR.
        gallery_size: people enrolled, in each split.
        public: with the calibration of people outside the group.
        own: with the scores between the enrolled people's templates; the public calibration where
            they are too few to count.
        cautious: with the higher of the two thresholds.
    """

    asked: float
    gallery_size: int
    public: Kept
    own: Kept
    cautious: Kept


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Everything that any split needs: between templates, and of probes against templates.

    Attributes:
        templates: (N, d), up to K photos of each member fused.
        probe: (N, N) score of each member's last photo against each template.
        own: (N,) score of each member's last photo against a template that it is not part of;
            NaN for members with one photo.
    """

    templates: Vectors = field(repr=False)
    probe: NDArray[np.float32] = field(repr=False)
    own: NDArray[np.float64]


def _scores(members: Sequence[Subject], gallery_photos: int, mirror: Mirror) -> _Scores:
    templates, lasts, own = [], [], []
    for member in members:
        enrolled = min(gallery_photos, max(len(member.plain) - 1, 1))
        photos = member.seen(slice(0, enrolled), mirrored=mirror is not Mirror.NONE)
        last = fuse(member.probe(slice(-1, None), mirror))
        templates.append(fuse(photos))
        lasts.append(last)
        own.append(float(last @ templates[-1]) if len(member.plain) > 1 else np.nan)
    stacked = np.stack(templates)
    return _Scores(stacked, np.stack(lasts) @ stacked.T, np.asarray(own))


def public_calibration(
    others: Sequence[Subject],
    *,
    gallery_photos: int,
    mirror: Mirror,
) -> Calibration:
    """What these people's scores promise: each one's last photo against everybody's template.

    All are single comparisons: reckoned down from the best score in a gallery of a thousand, a
    tenth of all sightings at one of forty would be nearly all of them there.
    """
    scores = _scores(others, gallery_photos, mirror)
    different = ~np.eye(len(others), dtype=bool)
    return Calibration(
        template_space="",
        source=f"{len(others)} people outside the group",
        command="",
        strangers=measure(scores.probe[different].astype(np.float64), 1),
        templates=measure_pairs(scores.templates),
        same_person=0.0,
    )


def _one_split(
    scores: _Scores,
    public: Calibration,
    people: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weighted counts (FPIRS, 3 thresholds, 4): passed, strangers, refused, enrolled probes.

    Args:
        scores: of the whole group.
        public: the calibration of others.
        people: the members to split, shuffled: the first half is enrolled.
        weights: how often each member of the group was drawn.
    """
    half = min(len(people) // 2, _LARGEST_HALF)
    enrolled, strangers = people[:half], people[half : 2 * half]
    best = scores.probe[np.ix_(strangers, enrolled)].max(axis=1)
    own = scores.own[enrolled]
    probed = enrolled[~np.isnan(own)]
    estate = OwnScores(people=between(scores.templates[enrolled]))
    counts = np.empty((len(FPIRS), 3, 4))
    for row, fpir in enumerate(FPIRS):
        thresholds = [reckon(public, each, fpir, half).value for each in (NO_SCORES, estate)]
        alone = own_threshold(estate.people, public, public.templates, fpir, half)
        thresholds.insert(1, thresholds[0] if alone is None else alone.value)
        for column, threshold in enumerate(thresholds):
            counts[row, column] = (
                weights[strangers][best >= threshold].sum(),
                weights[strangers].sum(),
                weights[probed][scores.own[probed] < threshold].sum(),
                weights[probed].sum(),
            )
    return counts


def simulate(
    members: Sequence[Subject],
    public: Calibration,
    *,
    gallery_photos: int,
    mirror: Mirror,
) -> list[SelfCalibration]:
    """Split a group of at least four people as an estate of its own, and count."""
    scores = _scores(members, gallery_photos, mirror)
    source = np.random.default_rng(0)
    count = len(members)

    def counts(weights: NDArray[np.float64], splits: int) -> NDArray[np.float64]:
        drawn = np.flatnonzero(weights)
        return sum(
            (_one_split(scores, public, source.permutation(drawn), weights) for _ in range(splits)),
            start=np.zeros((len(FPIRS), 3, 4)),
        )

    value = counts(np.ones(count), 40 * _SPLITS)
    replicates = np.stack(
        [
            counts(source.multinomial(count, np.full(count, 1 / count)).astype(float), _SPLITS)
            for _ in range(_REPLICATES)
        ],
    )
    several = int((~np.isnan(scores.own)).sum())

    def kept(row: int, column: int) -> Kept:
        passed, strangers, refused, probes = value[row, column]
        drawn = replicates[:, row, column]
        return Kept(
            fpir=bounded(float(passed / strangers), drawn[:, 0] / drawn[:, 1], count),
            fnir=bounded(float(refused / probes), drawn[:, 2] / np.maximum(drawn[:, 3], 1), several)
            if several
            else None,
        )

    return [
        SelfCalibration(
            asked=fpir,
            gallery_size=min(count // 2, _LARGEST_HALF),
            public=kept(row, 0),
            own=kept(row, 1),
            cautious=kept(row, 2),
        )
        for row, fpir in enumerate(FPIRS)
    ]
