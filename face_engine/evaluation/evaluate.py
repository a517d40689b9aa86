"""One evaluation: photos in, measures out."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_engine.degradations import Degradation
from face_engine.encoder import normalise
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.bounds import Bounded
from face_engine.evaluation.degraded import DegradedResult, degrade_and_identify
from face_engine.evaluation.discarding import error_versus_discard
from face_engine.evaluation.encoding import EncodedPhotos, encode_photos
from face_engine.evaluation.folders import PairList, Person, read_names, read_pairs, read_people
from face_engine.evaluation.identification import (
    IdentificationRow,
    Trial,
    cast,
    identify,
    run_trial,
)
from face_engine.evaluation.subjects import Mirror, Subject
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
        mirror: as the product does it: at enrollment each photo also, at the door every second
            frame instead.
        cache: where encoded photos are kept.
        leave_out: a file of names (`folders.read_names`) to leave out of the identification,
            or None. Pairs name their people themselves.
        degradations: also probed with such copies.
    """

    images: Path
    cache: Path
    pairs: Path | None = None
    gallery_photos: int = 3
    probe_frames: int = 1
    mirror: Mirror = Mirror.ALTERNATE
    leave_out: Path | None = None
    degradations: tuple[Degradation, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The results.

    Attributes:
        options: what was asked.
        pack: the pack's name.
        template_space: and its space.
        people: folders with photos.
        photos: how many.
        failures: photos without a usable face, each with the reason.
        verification: of the pairs, when there were any.
        trial: scores of the identification, or None when the photos do not allow one.
        identification: rows of the identification curve.
        subjects: everybody, with the vectors of their usable photos.
        degraded: what each degradation cost.
        note: why there is no identification, or who was taken as a stranger; else empty.
    """

    options: Options
    pack: str
    template_space: str
    people: int
    photos: int
    failures: tuple[tuple[Path, str], ...]
    verification: Verification | None
    trial: Trial | None
    identification: tuple[IdentificationRow, ...]
    subjects: tuple[Subject, ...]
    degraded: tuple[DegradedResult, ...]
    note: str


def _as_seen(encoded: EncodedPhotos, *, mirrored: bool) -> Vectors:
    return normalise(encoded.plain + encoded.mirrored) if mirrored else encoded.plain


def _score_pairs(
    pair_list: PairList,
    people: list[Person],
    encoded: EncodedPhotos,
    mirror: Mirror,
) -> Verification:
    """The first photo of a pair is taken as enrolled, the second as seen at the door."""
    starts = np.cumsum([0, *(len(person.photos) for person in people)])
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


def _with_strangers(people: list[Person], *, required: bool) -> tuple[list[Person], str]:
    """People of whom some are strangers, and a note on how they came to be.

    Where everybody has several photos, every third person counts with the first one alone.

    Raises:
        EvaluationImpossible: nobody has several photos, and identification is `required`.
    """
    several = sum(len(person.photos) > 1 for person in people)
    if several < len(people) and several:
        return people, ""
    if several < 2:  # noqa: PLR2004 — one to enroll, one to be a stranger
        if required:
            raise EvaluationImpossible(
                "without a pair list, identification is measured: it needs people with several "
                "photos (to enroll and probe) and people with exactly one (who are not enrolled); "
                f"here {several} of {len(people)} have several",
            )
        return people, ""
    chosen = [
        replace(person, photos=person.photos[:1]) if number % 3 == 1 else person
        for number, person in enumerate(people)
    ]
    return chosen, "nobody has exactly one photo: every third person is a stranger, by the first"


def evaluate(pack: FacePack, options: Options, *, progress: bool = False) -> Evaluation:
    """Encode what is not in the cache yet, and measure.

    Raises:
        EvaluationImpossible: the folder or the list cannot be evaluated.
    """
    if options.gallery_photos < 1 or options.probe_frames < 1:
        raise EvaluationImpossible("gallery photos and probe frames are at least 1")
    people = read_people(options.images)
    # Lists are read before hours of encoding, so that a wrong one is told at once.
    pair_list = None if options.pairs is None else read_pairs(options.pairs, people)
    identified, note = _with_strangers(people, required=pair_list is None)
    left_out = frozenset() if options.leave_out is None else read_names(options.leave_out, people)
    photos = [photo for person in people for photo in person.photos]
    encoded = encode_photos(pack, photos, options.cache, progress=progress)
    verification = (
        None if pair_list is None else _score_pairs(pair_list, people, encoded, options.mirror)
    )
    row = {photo: number for number, photo in enumerate(photos)}
    subjects = tuple(
        _subject(person, np.array([row[photo] for photo in person.photos]), encoded)
        for person in identified
        if person.name not in left_out
    )
    trial, degraded = None, []
    try:
        roles = cast(
            subjects,
            gallery_photos=options.gallery_photos,
            probe_frames=options.probe_frames,
        )
    except EvaluationImpossible as impossible:
        if verification is None:
            raise
        note = str(impossible)
    else:
        trial = run_trial(subjects, roles, options.mirror)
        degraded = degrade_and_identify(
            pack,
            subjects,
            options.degradations,
            options.cache,
            gallery_photos=options.gallery_photos,
            probe_frames=options.probe_frames,
            mirror=options.mirror,
            progress=progress,
        )
    return Evaluation(
        options=options,
        pack=pack.name,
        template_space=pack.template_space,
        people=len(people),
        photos=len(photos),
        failures=tuple(
            (photo, str(reason))
            for photo, reason in zip(photos, encoded.reasons, strict=True)
            if reason
        ),
        verification=verification,
        trial=trial,
        identification=tuple(identify(trial)) if trial else (),
        subjects=subjects,
        degraded=tuple(degraded),
        note=note,
    )


def _subject(person: Person, rows: NDArray[np.int64], encoded: EncodedPhotos) -> Subject:
    usable = encoded.found[rows]
    rows = rows[usable]
    return Subject(
        person.name,
        encoded.plain[rows],
        encoded.mirrored[rows],
        encoded.quality[rows],
        tuple(photo for photo, good in zip(person.photos, usable, strict=True) if good),
    )


def _with_bounds(name: str, rate: Bounded) -> dict[str, float]:
    return {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}


def report(evaluation: Evaluation) -> dict[str, Any]:
    """The results as plain values for JSON; rates are shares (0..1), bounds are of 95%.

    `accuracy` and its bounds are null without a pair list, `identification` is empty when the
    photos do not allow one (`note` says why). `quality` is the error versus discard curve;
    `degradations` holds `DegradedResult`s, whose rates are `{"value", "low", "high"}` or null.
    """
    result: dict[str, Any] = {
        "pack": evaluation.pack,
        "template_space": evaluation.template_space,
        "people": evaluation.people,
        "photos": evaluation.photos,
        "failure_to_enroll": len(evaluation.failures) / evaluation.photos,
        "failures": [
            {"photo": f"{photo.parent.name}/{photo.name}", "reason": reason}
            for photo, reason in evaluation.failures
        ],
        "gallery_photos": evaluation.options.gallery_photos,
        "probe_frames": evaluation.options.probe_frames,
        "mirror": str(evaluation.options.mirror),
        "accuracy": None,
        "gallery_size": 0,
        "mated_probes": 0,
        "non_mated_probes": 0,
        "identification": [],
        "quality": [],
        "degradations": [asdict(each) for each in evaluation.degraded],
        "note": evaluation.note,
    }
    verification = evaluation.verification
    if verification is not None:
        result |= _with_bounds("accuracy", verification.accuracy)
        result |= {
            "accuracy_threshold": verification.threshold,
            "fold_accuracy": verification.fold_accuracy,
            "det": [
                {
                    "fmr": point.fmr,
                    "threshold": point.threshold,
                    **_with_bounds("fnmr", point.fnmr),
                }
                for point in verification.det
            ],
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
