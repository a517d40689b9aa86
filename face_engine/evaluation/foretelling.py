"""Does the enrollment's question "would this photo open the door?" foretell who is refused later?

Everybody with more than K photos enrolls with the first K, as at a server; the further photos come
to the door one by one. Whoever is not found by any one of them was refused later.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from face_engine.door_check import opening_shares, unlikely_to_open
from face_engine.encoder import encode_with_mirror, fuse
from face_engine.enrollment import MOST_PHOTOS, look
from face_engine.errors import EvaluationImpossible, PhotoRefused
from face_engine.evaluation.bounds import Bounded, share
from face_engine.evaluation.evaluate import Evaluation
from face_engine.evaluation.identification import Trial
from face_engine.evaluation.subjects import Subject
from face_engine.evaluation.verification import threshold_at
from face_engine.models import FacePack

FPIR = 0.01


@dataclass(frozen=True, slots=True)
class Foretold:
    """What came of the question, at one threshold.

    Attributes:
        fpir: of the strangers at the threshold, as asked for.
        threshold: cosine.
        people: who could be asked: enough photos, and the gate took those to enroll.
        turned_away: people whose photos the gate did not take for another reason.
        refused_later: people refused by one further photo at least.
        warned: share of these whose enrollment was stopped; None without any.
        bothered: share of the others whose enrollment was stopped.
    """

    fpir: float
    threshold: float
    people: int
    turned_away: int
    refused_later: int
    warned: Bounded | None
    bothered: Bounded | None


def foretell(
    pack: FacePack,
    subjects: Sequence[Subject],
    trial: Trial,
    *,
    gallery_photos: int,
    progress: bool = False,
) -> Foretold:
    """Ask everybody with more than K photos, at the threshold of `FPIR`."""
    photos = min(gallery_photos, MOST_PHOTOS)
    threshold = threshold_at(trial.non_mated, FPIR)
    asked = [subject for subject in subjects if len(subject.plain) > photos]
    stopped, refused = [], []
    turned_away = 0
    for subject in tqdm(asked, desc="door check", unit="person", disable=not progress):
        try:
            looks = [look(pack, photo.read_bytes()) for photo in subject.photos[:photos]]
        except PhotoRefused:
            turned_away += 1
            continue
        vectors = encode_with_mirror(pack.encoder, np.stack([one.crop for one in looks]))
        stopped.append(
            unlikely_to_open(opening_shares(pack, looks, vectors, threshold)) is not None,
        )
        template = fuse(subject.seen(slice(0, photos), mirrored=True))
        refused.append(bool((subject.plain[photos:] @ template < threshold).any()))
    late = np.array(refused, bool)
    events = np.array(stopped, np.float64)
    return Foretold(
        fpir=FPIR,
        threshold=threshold,
        people=len(late),
        turned_away=turned_away,
        refused_later=int(late.sum()),
        warned=share(events[late], np.ones(int(late.sum()))),
        bothered=share(events[~late], np.ones(int((~late).sum()))),
    )


def report_door_check(
    pack: FacePack,
    evaluation: Evaluation,
    *,
    progress: bool = False,
) -> dict[str, Any]:
    """`foretell` of an evaluation, as plain values.

    Raises:
        EvaluationImpossible: the photos allowed no identification.
    """
    if evaluation.trial is None:
        raise EvaluationImpossible(f"the door check needs an identification: {evaluation.note}")
    return asdict(
        foretell(
            pack,
            evaluation.subjects,
            evaluation.trial,
            gallery_photos=evaluation.options.gallery_photos,
            progress=progress,
        ),
    )
