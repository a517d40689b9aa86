"""People of the shared evaluation photos, drawn by a seed, as residents and as strangers."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from face_engine.alignment import align
from face_engine.enrollment import MOST_PHOTOS, judge
from face_engine.errors import PhotoRefused
from face_engine.faces import Face, Vectors
from face_engine.models import FacePack
from face_engine.quality import pose
from gatehouse.scenes import Cutout, Image, cut_out
from tests.support.shared_data import shared_folder

MOST_YAW: Final = 30.0
"""Degrees. Doors take whoever looks away by more than 35 for a passer-by; a head that is rendered
walking up sways by some of the rest."""
DOORS_YAW: Final = 35.0


@dataclass(frozen=True)
class DrawnPerson:
    """One person, the photos to enroll with, and another one that they walk up with."""

    name: str
    portraits: tuple[Path, ...] = field(repr=False)
    other: Path
    head: Cutout = field(repr=False)
    vector: Vectors = field(repr=False)

    def template(self, pack: FacePack) -> Vectors:
        """What those of the portraits are enrolled as that the form would have taken, too."""
        taken = []
        for portrait in self.portraits:
            with suppress(PhotoRefused):
                judge(pack, [portrait.read_bytes()])
                taken.append(portrait.read_bytes())
        return judge(pack, taken).template


def drawn_people(
    seed: int, pack: FacePack, *, passed_over: Counter[str], photos: int = 1
) -> Iterator[DrawnPerson]:
    """Yield people in an order, and with photos, drawn by `seed`.

    Whether a face looks like the enrolled one decides nothing here, only where it looks.

    Args:
        seed: of order and photos.
        pack: finds the face in the photo that is walked up with; it has to look at the camera.
        passed_over: counts, by reason, who was not drawn.
        photos: how many to enroll with, at most; who has fewer enrolls with those.
    """
    draw = random.Random(seed)
    folders = sorted((shared_folder("lfw-dev") / "images").iterdir())
    draw.shuffle(folders)
    for folder in folders:
        other, *portraits = draw.sample(found := sorted(folder.glob("*.jpg")), len(found))
        if not portraits:
            passed_over["one photo alone"] += 1
            continue
        image = np.asarray(cv2.imread(str(other)), np.uint8)
        face = _subject(image, pack)
        if face is None:
            passed_over["no face found"] += 1
            continue
        yaw = abs(pose(face.landmarks)[0])
        if yaw > MOST_YAW:
            doors_too = "not" if yaw > DOORS_YAW else "still"
            passed_over[f"looks away, {doors_too} looked at by a door"] += 1
            continue
        yield DrawnPerson(
            name=folder.name,
            portraits=tuple(portraits[: min(photos, MOST_PHOTOS)]),
            other=other,
            head=cut_out(image, face.box),
            vector=pack.encoder.encode(align(image, face.landmarks)[None])[0],
        )


def _subject(image: Image, pack: FacePack) -> Face | None:
    """The face nearest the middle: on whom the data set's photos are centred."""
    middle = np.array(image.shape[1::-1]) / 2
    return min(
        pack.detector.detect(image),
        key=lambda face: float(np.linalg.norm(face.box[:2] + face.box[2:] / 2 - middle)),
        default=None,
    )
