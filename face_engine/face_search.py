"""Find the one face of an enrollment photo, or the reason why it cannot be found."""

import cv2
import numpy as np

from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.faces import Detector, Face, Image

# The detector knows faces up to some 300 pixels: a selfie's is found in a small picture, one
# farther away in a larger.
_SEARCH_SIDES = (640, 320, 1280)
# Another face below this height, against the main one, belongs to a bystander behind.
_BYSTANDER_SHARE = 0.5
# Dark and flat pictures are stretched between these percentiles to see what they show.
_STRETCH = (2, 98)
_TURNS = (-45, 45, 90, 180, 270)


def _height(face: Face) -> float:
    return float(face.box[3])


def _search(detector: Detector, image: Image, *, unsure: bool) -> list[Face]:
    """The faces at the first resolution that shows any, tallest first."""
    for side in _SEARCH_SIDES:
        faces = detector.detect(image, longest_side=side, unsure=unsure)
        if faces:
            return sorted(faces, key=_height, reverse=True)
    return []


def _stretched(image: Image) -> Image:
    low, high = (float(value) for value in np.percentile(image, _STRETCH))
    wide = (image.astype(np.float32) - low) * (255 / max(high - low, 1))
    return np.asarray(np.clip(wide, 0, 255), np.uint8)


def _turned(image: Image, degrees: float) -> Image:
    height, width = image.shape[:2]
    factor = 640 / max(height, width) * 0.7
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, factor)
    matrix[:, 2] += 320 - width / 2, 320 - height / 2
    return np.asarray(cv2.warpAffine(image, matrix, (640, 640)), np.uint8)


def main_face(detector: Detector, image: Image) -> tuple[Face, PhotoReason | None]:
    """The one face of a photo, and what is wrong should nothing else be found wrong with it.

    A dark, blurred or flat face may escape the detector. It is looked for with less certainty,
    and in a stretched copy, so that the person hears what to change instead of "no face"; such
    a face is never good enough to enroll.

    Raises:
        PhotoRefused: no-face, several-faces, or tilted (found only when turned).
    """
    faces = _search(detector, image, unsure=False)
    if len(faces) > 1 and _height(faces[1]) > _BYSTANDER_SHARE * _height(faces[0]):
        raise PhotoRefused(PhotoReason.SEVERAL_FACES)
    if faces:
        return faces[0], None
    clearer = _search(detector, _stretched(image), unsure=False)
    if clearer:
        return clearer[0], PhotoReason.LOW_CONTRAST
    if any(detector.detect(_turned(image, degrees)) for degrees in _TURNS):
        raise PhotoRefused(PhotoReason.TILTED)
    maybe = _search(detector, image, unsure=True) or _search(
        detector,
        _stretched(image),
        unsure=True,
    )
    if maybe:
        return maybe[0], PhotoReason.NO_FACE
    raise PhotoRefused(PhotoReason.NO_FACE)
