"""One evaluation: photos in, measures out."""

import itertools
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_engine.encoder import normalise
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.bounds import Bounded
from face_engine.evaluation.discarding import error_versus_discard
from face_engine.evaluation.encoding import EncodedPhotos, encode_photos
from face_engine.evaluation.folders import PairList, Person, read_names, read_pairs, read_people
from face_engine.evaluation.identification import (
    IdentificationRow,
    Mirror,
    Trial,
    identify,
    run_trial,
)
from face_engine.evaluation.subjects import Subject
from face_engine.evaluation.verification import Verification, verify_pairs
from face_engine.faces import Vectors
from face_engine.models import FacePack


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate.

    Attributes:
        images: one folder per person.
        pairs: pair list in LFW's format, or None.
        gallery_photos: K, photos fused into one template, at most.
        probe_frames: F, frames fused into one probe.
        mirror: as the product does it: at enrollment, not at the door.
        cache: where encoded photos are kept.
        leave_out: a file of names (`folders.read_names`) to leave out of the identification,
            or None. Pairs name their people themselves.
    """

    images: Path
    cache: Path
    pairs: Path | None = None
    gallery_photos: int = 3
    probe_frames: int = 1
    mirror: Mirror = Mirror.GALLERY
    leave_out: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The results.

    Attributes:
        options: what was asked.
        pack: the pack's name.
        template_space: and its space.
        people: folders with photos.
        photos: how many.
        failures: photos without a usable face (failure to enroll: `failures / photos`).
        verification: of the pairs, when there were any.
        trial: scores of the identification, or None when the photos do not allow one.
        identification: rows of the identification curve.
        subjects: everybody, with the vectors of their usable photos.
        note: why there is no identification, else empty.
    """

    options: Options
    pack: str
    template_space: str
    people: int
    photos: int
    failures: int
    verification: Verification | None
    trial: Trial | None
    identification: tuple[IdentificationRow, ...]
    subjects: tuple[Subject, ...]
    note: str


def _as_seen(encoded: EncodedPhotos, *, mirrored: bool) -> Vectors:
    return normalise(encoded.plain + encoded.mirrored) if mirrored else encoded.plain


def _score_pairs(
    pair_list: PairList,
    people: list[Person],
    starts: NDArray[np.int64],
    encoded: EncodedPhotos,
    mirror: Mirror,
) -> Verification:
    """The first photo of a pair is taken as enrolled, the second as seen at the door."""
    place = {person.name: index for index, person in enumerate(people)}
    owners = np.array([(place[p.first[0]], place[p.second[0]]) for p in pair_list.pairs])
    photos = starts[owners] + np.array([(p.first[1], p.second[1]) for p in pair_list.pairs])
    enrolled = _as_seen(encoded, mirrored=mirror is not Mirror.NONE)
    seen = _as_seen(encoded, mirrored=mirror is Mirror.BOTH)
    scores = np.einsum("nd,nd->n", enrolled[photos[:, 0]], seen[photos[:, 1]], dtype=np.float64)
    usable = encoded.found[photos].all(axis=1)
    return verify_pairs(
        np.where(usable, scores, -1.0),
        np.array([pair.same for pair in pair_list.pairs]),
        owners,
        np.asarray(pair_list.folds, np.int64),
    )


def _check_numbers(people: list[Person]) -> None:
    """Tell before hours of encoding that identification will be impossible."""
    several = sum(len(person.photos) > 1 for person in people)
    if several in {0, len(people)}:
        raise EvaluationImpossible(
            "without a pair list, identification is measured: it needs people with several "
            "photos (to enroll and probe) and people with exactly one (who are not enrolled); "
            f"here {several} of {len(people)} people have several",
        )


def evaluate(pack: FacePack, options: Options, *, progress: bool = False) -> Evaluation:
    """Encode what is not in the cache yet, and measure.

    Raises:
        EvaluationImpossible: the folder or the list cannot be evaluated.
    """
    if options.gallery_photos < 1 or options.probe_frames < 1:
        raise EvaluationImpossible("gallery photos and probe frames are at least 1")
    people = read_people(options.images)
    # Read before hours of encoding, so that a wrong list is told at once.
    pair_list = None if options.pairs is None else read_pairs(options.pairs, people)
    if pair_list is None:
        _check_numbers(people)
    left_out = frozenset() if options.leave_out is None else read_names(options.leave_out, people)
    encoded = encode_photos(
        pack,
        [photo for person in people for photo in person.photos],
        options.cache,
        progress=progress,
    )
    starts = np.cumsum([0, *(len(person.photos) for person in people)])
    verification = (
        None
        if pair_list is None
        else _score_pairs(pair_list, people, starts, encoded, options.mirror)
    )
    subjects = tuple(
        Subject(person.name, encoded.plain[rows], encoded.mirrored[rows], encoded.quality[rows])
        for person, rows in (
            (person, np.arange(a, b)[encoded.found[a:b]])
            for person, (a, b) in zip(people, itertools.pairwise(starts), strict=True)
            if person.name not in left_out
        )
    )
    trial, note = None, ""
    try:
        trial = run_trial(
            subjects,
            gallery_photos=options.gallery_photos,
            probe_frames=options.probe_frames,
            mirror=options.mirror,
        )
    except EvaluationImpossible as impossible:
        if verification is None:
            raise
        note = str(impossible)
    return Evaluation(
        options=options,
        pack=pack.name,
        template_space=pack.template_space,
        people=len(people),
        photos=len(encoded.found),
        failures=int((~encoded.found).sum()),
        verification=verification,
        trial=trial,
        identification=tuple(identify(trial)) if trial else (),
        subjects=subjects,
        note=note,
    )


def _with_bounds(name: str, rate: Bounded) -> dict[str, float]:
    return {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}


def report(evaluation: Evaluation) -> dict[str, Any]:
    """The results as plain values for JSON; rates are shares (0..1), bounds are of 95%.

    `accuracy` and its bounds are null without a pair list, `identification` is empty when the
    photos do not allow one (`note` says why). `quality` is the error versus discard curve.
    """
    result: dict[str, Any] = {
        "pack": evaluation.pack,
        "template_space": evaluation.template_space,
        "people": evaluation.people,
        "photos": evaluation.photos,
        "failure_to_enroll": evaluation.failures / evaluation.photos,
        "gallery_photos": evaluation.options.gallery_photos,
        "probe_frames": evaluation.options.probe_frames,
        "mirror": str(evaluation.options.mirror),
        "accuracy": None,
        "gallery_size": 0,
        "mated_probes": 0,
        "non_mated_probes": 0,
        "identification": [],
        "quality": [],
        "note": evaluation.note,
    }
    verification = evaluation.verification
    if verification is not None:
        result |= _with_bounds("accuracy", verification.accuracy)
        result |= {
            "accuracy_threshold": verification.threshold,
            "fold_accuracy": verification.fold_accuracy,
            "det": [asdict(point) for point in verification.det],
        }
    trial = evaluation.trial
    if trial is not None:
        result |= {
            "gallery_size": trial.gallery_size,
            "mated_probes": len(trial.mated),
            "non_mated_probes": len(trial.non_mated),
            "identification": [
                {
                    "fpir": row.fpir,
                    "threshold": row.threshold,
                    **_with_bounds("fnir", row.fnir),
                    "supported": row.supported,
                }
                for row in evaluation.identification
            ],
            "quality": [
                {
                    "discard": point.discard,
                    "quality": point.quality,
                    "errors_caught": point.errors_caught,
                    **_with_bounds("fnir", point.fnir),
                }
                for point in error_versus_discard(trial)
            ],
        }
    return result
