"""What bad light, blur, distance and compression cost, with the doors' quality gate and without.

The gallery is of the photos as they are; the probes, and the strangers, are degraded copies. The
thresholds are those that the strangers' good photos give: a door has one threshold, day and night.

Three rates stand side by side, since each alone can be made to look good: failure to acquire (no
frame of the probe shows a face, or the gate refused all of them), FNIR of the probes that were
acquired, and the share refused altogether.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_engine.degradations import Degradation
from face_engine.encoder import fuse
from face_engine.evaluation.bounds import Bounded, bounded, draws, percentiles, share
from face_engine.evaluation.encoding import EncodedPhotos, encode_photos
from face_engine.evaluation.identification import (
    FPIRS,
    Roles,
    best_scores,
    cast,
    enroll,
    own_scores,
    run_trial,
)
from face_engine.evaluation.subjects import Mirror, Subject
from face_engine.evaluation.verification import threshold_at
from face_engine.faces import Vectors
from face_engine.models import FacePack
from face_engine.quality import LEAST_SCORE

# Whether copies let more strangers in shows on so many; the thresholds come from all.
_MOST_STRANGERS = 500

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DegradedRow:
    """The errors at one threshold.

    Attributes:
        fpir: that the strangers' good photos have at the threshold, as asked for.
        threshold: cosine.
        fnir: share of the acquired probes that do not find their own person; None: none acquired.
        refused: share of all probes that open nothing: not acquired, or not found.
        false_positives: share of the strangers' copies that find somebody.
    """

    fpir: float
    threshold: float
    fnir: Bounded | None
    refused: Bounded
    false_positives: Bounded


@dataclass(frozen=True, slots=True)
class GateResult:
    """One way to treat frames: all of them count, or those that doors take.

    Attributes:
        failure_to_acquire: share of the probes without one usable frame.
        rows: one per FPIR.
    """

    failure_to_acquire: Bounded
    rows: tuple[DegradedRow, ...]


@dataclass(frozen=True, slots=True)
class DegradedResult:
    """One degradation.

    Attributes:
        name: of the degradation.
        without_gate: every frame with a face in it counts.
        with_gate: frames of a quality below `LEAST_SCORE` do not, as at a door.
        fnir_differences: per FPIR, with the gate minus without, of the same people.
        refused_differences: the same of `refused`.
    """

    name: Degradation
    without_gate: GateResult
    with_gate: GateResult
    fnir_differences: tuple[Bounded, ...]
    refused_differences: tuple[Bounded, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Per person (P,): probes, those acquired, and per threshold (P, T) those missed."""

    probes: NDArray[np.float64]
    acquired: NDArray[np.float64]
    missed: NDArray[np.float64]

    @property
    def refused(self) -> NDArray[np.float64]:
        """(P, T) not acquired, or missed."""
        return (self.probes - self.acquired)[:, None] + self.missed


class _Frames:
    """The degraded copies by file."""

    def __init__(self, encoded: EncodedPhotos, photos: Sequence[Path]) -> None:
        self._encoded = encoded
        self._row = {photo: row for row, photo in enumerate(photos)}

    def fused(self, photos: Sequence[Path], *, gate: bool) -> Vectors | None:
        """The probe of these frames, or None where no frame counts."""
        rows = np.array([self._row[photo] for photo in photos])
        rows = rows[self._encoded.found[rows]]
        if gate:
            rows = rows[self._encoded.quality[rows] >= LEAST_SCORE]
        return fuse(self._encoded.plain[rows]) if len(rows) else None


def degrade_and_identify(
    pack: FacePack,
    subjects: Sequence[Subject],
    degradations: Sequence[Degradation],
    cache: Path,
    *,
    gallery_photos: int,
    probe_frames: int,
    mirror: Mirror,
    progress: bool = False,
) -> list[DegradedResult]:
    """Measure each degradation; probes are never fused with mirror images here.

    Raises:
        EvaluationImpossible: as in `cast`, and where the cache cannot be used.
    """
    roles = cast(subjects, gallery_photos=gallery_photos, probe_frames=probe_frames)
    templates = enroll(subjects, roles, mirror)
    good = run_trial(subjects, roles, Mirror.NONE if mirror is Mirror.NONE else Mirror.GALLERY)
    thresholds = np.array([threshold_at(good.non_mated, fpir) for fpir in FPIRS])
    probes = [subjects[roles.enrolled[owner][0]].photos[photos] for owner, photos in roles.probes]
    apart = -(-len(roles.strangers) // _MOST_STRANGERS)
    strangers = [subjects[row].photos for row in roles.strangers[::apart]]
    files = [photo for photos in (*probes, *strangers) for photo in photos]
    results = []
    for degradation in degradations:
        frames = _Frames(
            encode_photos(pack, files, cache, degradation=degradation, progress=progress),
            files,
        )
        ways = [
            (
                _count(roles, templates, [frames.fused(p, gate=gate) for p in probes], thresholds),
                _find([frames.fused(p, gate=gate) for p in strangers], templates, thresholds),
            )
            for gate in (False, True)
        ]
        (without, _), (gated, _) = ways
        results.append(
            DegradedResult(
                name=degradation,
                without_gate=_result(*ways[0], thresholds),
                with_gate=_result(*ways[1], thresholds),
                fnir_differences=_differences(
                    (gated.missed, gated.acquired), (without.missed, without.acquired)
                ),
                refused_differences=_differences(
                    (gated.refused, gated.probes), (without.refused, without.probes)
                ),
            ),
        )
    return results


def _count(
    roles: Roles,
    templates: Vectors,
    probes: Sequence[Vectors | None],
    thresholds: NDArray[np.float64],
) -> _Counts:
    owners = np.array([owner for owner, _ in roles.probes])
    people, owner = np.unique(owners, return_inverse=True)
    acquired = np.array([probe is not None for probe in probes])
    missed = np.zeros((len(probes), len(thresholds)))
    seen = [probe for probe in probes if probe is not None]
    if seen:
        own = own_scores(np.stack(seen), templates, owners[acquired])
        missed[acquired] = own[:, None] < thresholds
    per_person = np.zeros((len(people), len(thresholds)))
    np.add.at(per_person, owner, missed)
    return _Counts(
        probes=np.bincount(owner).astype(np.float64),
        acquired=np.bincount(owner, weights=acquired).astype(np.float64),
        missed=per_person,
    )


def _find(
    strangers: Sequence[Vectors | None],
    templates: Vectors,
    thresholds: NDArray[np.float64],
) -> Flags:
    """(S, T) whether a stranger finds somebody; whoever is not acquired finds nobody."""
    found = np.zeros((len(strangers), len(thresholds)), bool)
    seen = [stranger for stranger in strangers if stranger is not None]
    if seen:
        best = best_scores(np.stack(seen), templates)
        acquired = [stranger is not None for stranger in strangers]
        found[acquired] = best[:, None] >= thresholds
    return found


def _result(counts: _Counts, found: Flags, thresholds: NDArray[np.float64]) -> GateResult:
    return GateResult(
        failure_to_acquire=_rate(counts.probes - counts.acquired, counts.probes),
        rows=tuple(
            DegradedRow(
                fpir=fpir,
                threshold=float(threshold),
                fnir=share(counts.missed[:, column], counts.acquired),
                refused=_rate(counts.refused[:, column], counts.probes),
                false_positives=_rate(
                    found[:, column].astype(np.float64), np.ones(len(found), np.float64)
                ),
            )
            for column, (fpir, threshold) in enumerate(zip(FPIRS, thresholds, strict=True))
        ),
    )


def _rate(events: NDArray[np.float64], trials: NDArray[np.float64]) -> Bounded:
    """`share` of trials that everybody has."""
    replicates = [(drawn @ events) / (drawn @ trials) for drawn in draws(len(trials))]
    value = float(events.sum() / trials.sum())
    return bounded(value, np.concatenate(replicates), len(trials))


def _differences(
    first: tuple[NDArray[np.float64], NDArray[np.float64]],
    second: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[Bounded, ...]:
    """Per threshold the first rate minus the second, people drawn once for both."""

    def rates(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        one, other = (
            (drawn @ events) / np.maximum(drawn @ trials, 1)[:, None]
            for events, trials in (first, second)
        )
        return np.asarray(one - other)

    people = len(first[1])
    value = rates(np.ones((1, people)))[0]
    replicates = np.concatenate([rates(drawn.astype(np.float64)) for drawn in draws(people)])
    return tuple(
        Bounded(float(difference), *percentiles(column))
        for difference, column in zip(value, replicates.T, strict=True)
    )
