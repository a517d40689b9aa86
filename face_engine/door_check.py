"""Would this photo open the door? Asked of the door's own model, before anybody stands there.

Each photo is seen as a door might see it: at a door's size, in little light, against the light,
and in motion. Its copies have to open for the template of the *other* photos; a photo that came
alone is held against itself, which says less. What this foretells stands in `docs/face-engine.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from face_engine.alignment import align
from face_engine.degradations import Degradation, degrade
from face_engine.encoder import fuse
from face_engine.faces import Detector, Face, Image, Vectors
from face_engine.landmarks import refine
from face_engine.models import FacePack
from face_engine.quality import Quality

# What happens to faces at every door, half as bad as it gets.
_CONDITIONS = (Degradation.LOW_LIGHT, Degradation.BACKLIGHT, Degradation.BLUR)
_SEVERITY = 0.5
# Pixels between the eyes of somebody two steps before a door's camera, and how far the picture
# reaches around the face, in distances between the eyes.
_DOOR_EYES = 60.0
_AROUND = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One photo's face.

    Attributes:
        image: (H, W, 3) uint8 BGR, the photo.
        face: with fine landmarks.
        crop: (112, 112, 3) uint8 BGR, aligned.
        quality: how good a look it is.
    """

    image: Image
    face: Face
    crop: Image
    quality: Quality


def _at_the_door(look: Look) -> tuple[Image, Face]:
    """The face and what is around it at the size that a door's camera sees; never enlarged."""
    middle = look.face.landmarks.mean(axis=0)
    reach = _AROUND * look.face.eye_distance
    left, top = np.maximum(np.floor(middle - reach), 0).astype(int)
    right, bottom = np.ceil(middle + reach).astype(int)
    part = look.image[top:bottom, left:right]
    factor = min(1.0, _DOOR_EYES / look.face.eye_distance)
    small = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    shift = np.array([left, top], np.float32)
    box = np.concatenate((look.face.box[:2] - shift, look.face.box[2:])) * np.float32(factor)
    landmarks = (look.face.landmarks - shift) * np.float32(factor)
    return np.asarray(small, np.uint8), Face(box, landmarks, look.face.score)


def _nearest(detector: Detector, image: Image, wanted: Face) -> Face | None:
    """The face found where one is known to be."""
    faces = detector.detect(image, longest_side=640)
    near = [
        (float(np.abs(face.landmarks - wanted.landmarks).mean()), number)
        for number, face in enumerate(faces)
    ]
    distance, number = min(near, default=(np.inf, -1))
    return faces[number] if distance < wanted.eye_distance else None


def _copies(pack: FacePack, look: Look) -> list[Image]:
    """The aligned faces of a photo as a door would see it; a copy without a face gives none."""
    image, face = _at_the_door(look)
    crops = []
    for number, condition in enumerate(_CONDITIONS):
        copy = degrade(image, face, condition, np.random.default_rng(number), _SEVERITY)
        found = _nearest(pack.detector, copy, face)
        if found is not None:
            crops.append(align(copy, refine(pack.detector, copy, found).landmarks))
    return crops


def opening_shares(
    pack: FacePack,
    looks: Sequence[Look],
    vectors: Vectors,
    threshold: float,
) -> list[float]:
    """For each photo the share of its door-like copies that open the door, 0..1.

    Args:
        pack: the door's models.
        looks: the photos of one person, one or more.
        vectors: (N, d) of the same photos, as they are enrolled.
        threshold: cosine from which on the door opens.
    """
    shares = []
    for number, look in enumerate(looks):
        others = np.delete(vectors, number, axis=0) if len(looks) > 1 else vectors
        crops = _copies(pack, look)
        scores = pack.encoder.encode(np.stack(crops)) @ fuse(others) if crops else np.empty(0)
        shares.append(float((scores >= threshold).sum()) / len(_CONDITIONS))
    return shares


def unlikely_to_open(shares: Sequence[float]) -> int | None:
    """The first photo of which not one copy would open.

    Asking for more than one refuses more people who are recognised later than it warns of.
    """
    return next((number for number, share in enumerate(shares) if share == 0), None)
