"""Open-set 1:N measures, in the terms of ISO/IEC 19795-1: FPIR and FNIR.

Everyone with two photos or more is in the gallery, the template fused from the first
min(K, n - 1) photos in name order. The rest, in groups of F fused, are the mated probes; the
people with one photo are the non-mated probes. A door that sees a stranger takes the gallery's
best score, so FPIR counts that one score per non-mated probe.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_engine.encoder import fuse
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.bounds import Bounded, bounded, draws
from face_engine.evaluation.subjects import Mirror, Subject
from face_engine.evaluation.verification import threshold_at
from face_engine.faces import Vectors

FPIRS = (0.1, 0.03, 0.01, 0.003)

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The scores of one evaluation; everything else follows from them.

    Attributes:
        gallery_size: N, people with a template.
        mated: (M,) best score of each mated probe's own person; -1 where somebody else's was
            better (a miss at any threshold).
        mated_people: (M,) index of the subject each mated probe is of.
        mated_quality: (M,) mean `Quality.score` of each mated probe's frames.
        non_mated: (S,) best score of each non-mated probe, one per person.
        non_mated_people: (S,) index of the subject each non-mated probe is of.
    """

    gallery_size: int
    mated: Scores
    mated_people: NDArray[np.int64]
    mated_quality: NDArray[np.float64]
    non_mated: Scores
    non_mated_people: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class IdentificationRow:
    """One point of the identification curve.

    Attributes:
        fpir: share of non-mated probes that find somebody, as asked for.
        threshold: the lowest that keeps to it on this data.
        fnir: share of mated probes that do not find their own person.
        supported: whether the data can show this FPIR at all: three events expected, at least.
    """

    fpir: float
    threshold: float
    fnir: Bounded
    supported: bool


@dataclass(frozen=True, slots=True)
class Roles:
    """Who is enrolled with which photos, and which photos come as probes.

    Attributes:
        enrolled: (subject's index, photos of the template), one per person of the gallery.
        probes: (place in `enrolled`, photos of the probe), one per mated probe.
        strangers: subjects' indexes, each probed with the only photo.
    """

    enrolled: tuple[tuple[int, slice], ...]
    probes: tuple[tuple[int, slice], ...]
    strangers: tuple[int, ...]


def cast(
    subjects: Sequence[Subject],
    *,
    gallery_photos: int,
    probe_frames: int,
    held_out: int = 0,
    block: int = 1,
) -> Roles:
    """Give everybody's photos their roles, by the protocol above.

    Args:
        subjects: everybody, enrolled or stranger by the number of their photos.
        gallery_photos: K.
        probe_frames: F; groups of fewer are left out.
        held_out: first photos that are no probes even where fewer than these are enrolled, so
            that two ways to enroll can be compared on the same probes.
        block: photos come as probes only in so many at a time, for the same reason: a multiple
            of `probe_frames`, or 1 for as many as there are.

    Raises:
        EvaluationImpossible: nobody has two photos, or nobody has only one.
    """
    enrolled: list[tuple[int, slice]] = []
    probes: list[tuple[int, slice]] = []
    strangers: list[int] = []
    for row, subject in enumerate(subjects):
        count = len(subject.plain)
        if count == 1:
            strangers.append(row)
        if count < 2:  # noqa: PLR2004 — one to enroll, one to probe
            continue
        fused = min(gallery_photos, count - 1)
        first = min(max(held_out, fused), count - 1)
        size = max(block, probe_frames)
        last = first + (count - first) // size * size
        probes.extend(
            (len(enrolled), slice(start, start + probe_frames))
            for start in range(first, last, probe_frames)
        )
        enrolled.append((row, slice(0, fused)))
    if not probes or not strangers:
        raise EvaluationImpossible(
            "identification needs people with several photos (to enroll and probe) and people "
            "with exactly one (who are not enrolled)",
        )
    return Roles(tuple(enrolled), tuple(probes), tuple(strangers))


def enroll(subjects: Sequence[Subject], roles: Roles, mirror: Mirror) -> Vectors:
    """(N, d) templates of the gallery."""
    mirrored = mirror is not Mirror.NONE
    return np.stack(
        [fuse(subjects[row].seen(photos, mirrored=mirrored)) for row, photos in roles.enrolled],
    )


def own_scores(probes: Vectors, templates: Vectors, owners: NDArray[np.int64]) -> Scores:
    """(M,) score of each probe's own person; -1 where somebody else's is better."""
    scores = probes @ templates.T
    own = scores[np.arange(len(owners)), owners]
    return np.where(own >= scores.max(axis=1), own, -1.0).astype(np.float64)


def best_scores(strangers: Vectors, templates: Vectors) -> Scores:
    """(S,) the gallery's best score of each stranger."""
    return np.asarray((strangers @ templates.T).max(axis=1), np.float64)


def run_trial(subjects: Sequence[Subject], roles: Roles, mirror: Mirror) -> Trial:
    """Score everybody in their roles; `mirror` says whose mirror images are fused."""
    templates = enroll(subjects, roles, mirror)
    owners = np.array([owner for owner, _ in roles.probes])
    people = np.array([row for row, _ in roles.enrolled])[owners]
    frames = [
        (subjects[row], photos) for row, (_, photos) in zip(people, roles.probes, strict=True)
    ]
    probes = np.stack([fuse(who.probe(photos, mirror)) for who, photos in frames])
    strangers = np.stack(
        [fuse(subjects[row].probe(slice(0, 1), mirror)) for row in roles.strangers],
    )
    return Trial(
        gallery_size=len(templates),
        mated=own_scores(probes, templates, owners),
        mated_people=people,
        mated_quality=np.array([float(who.quality[photos].mean()) for who, photos in frames]),
        non_mated=best_scores(strangers, templates),
        non_mated_people=np.array(roles.strangers),
    )


def fnir_replicates(
    trial: Trial,
    fpir: float,
    strangers: NDArray[np.int64],
    mated: NDArray[np.int64],
) -> NDArray[np.float64]:
    """FNIR of each replicate at the threshold that the replicate's own strangers give.

    Args:
        trial: the scores.
        fpir: share of strangers that may find somebody.
        strangers: (R, S) how often each non-mated probe's person was drawn.
        mated: (R, M) how often each mated probe's person was drawn.
    """
    falling = np.argsort(trial.non_mated)[::-1]
    # The first stranger, from the top, with whom the rate would be passed.
    over = np.cumsum(strangers[:, falling], axis=1) > fpir * len(falling) + 1e-9
    thresholds = np.where(
        over.any(axis=1),
        trial.non_mated[falling][np.argmax(over, axis=1)],
        -1.0,
    )
    order = np.argsort(trial.mated)
    below = np.searchsorted(trial.mated[order], thresholds, side="right")
    misses = np.concatenate(
        (np.zeros((len(mated), 1), np.int64), np.cumsum(mated[:, order], axis=1)),
        axis=1,
    )
    rates: NDArray[np.float64] = misses[np.arange(len(mated)), below] / np.maximum(
        misses[:, -1],
        1,
    )
    return rates


def _replicates(trial: Trial, fpir: float) -> NDArray[np.float64]:
    people, owner = np.unique(trial.mated_people, return_inverse=True)
    return np.concatenate(
        [
            fnir_replicates(trial, fpir, strangers, drawn[:, owner])
            for strangers, drawn in zip(
                draws(len(trial.non_mated), 1),
                draws(len(people), 2),
                strict=True,
            )
        ],
    )


def identify(trial: Trial, fpirs: Sequence[float] = FPIRS) -> list[IdentificationRow]:
    """FNIR, with 95% bounds by resampling people on both sides, at each FPIR."""
    rows = []
    for fpir in fpirs:
        threshold = threshold_at(trial.non_mated, fpir)
        rows.append(
            IdentificationRow(
                fpir=fpir,
                threshold=threshold,
                fnir=bounded(
                    float(np.mean(trial.mated < threshold)),
                    _replicates(trial, fpir),
                    len(np.unique(trial.mated_people)),
                ),
                supported=fpir * len(trial.non_mated) >= 3,  # noqa: PLR2004 — rule of three
            ),
        )
    return rows
