"""May these photos enroll this person? One template, or one plain reason why not.

A door that later fails to recognise somebody was let down here: what it could not use must not
be accepted. Limits are looser than a passport's, and each refusal names what to change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from face_engine import calibration
from face_engine.alignment import align, similarity
from face_engine.door_check import Look, opening_shares, unlikely_to_open
from face_engine.encoder import encode_with_mirror, fuse
from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.face_search import main_face
from face_engine.faces import Face, Image, Vectors
from face_engine.images import decode_photo
from face_engine.landmarks import refine
from face_engine.models import FacePack
from face_engine.quality import Quality, assess_crop

# Three photos are what a person has patience for, and what fusion gains most from.
MOST_PHOTOS = 3

SMALLEST_EYE_DISTANCE = 28.0
DARKEST = 40.0
BRIGHTEST = 228.0
LEAST_CONTRAST = 9.0
LEAST_SHARPNESS = 0.22
MOST_YAW = 36.0
MOST_PITCH = 35.0
MOST_ROLL = 35.0
# A chin or an ear may be missing, a cheek may not.
_LEAST_INSIDE = 0.97

# A grid over the face in the encoder's frame, from brow to chin.
_FACE_POINTS = np.stack(np.meshgrid(np.linspace(20, 92, 13), np.linspace(30, 108, 14)), -1)
_FACE_POINTS = _FACE_POINTS.reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class JudgedPhoto:
    """One accepted photo.

    Attributes:
        quality: how good a look it is.
        weight: its share in the template, all photos adding up to 1.
    """

    quality: Quality
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """An accepted enrollment.

    Attributes:
        template: (d,) float32 of unit length, in the pack's template space.
        photos: one result per photo, in the order given.
    """

    template: Vectors = field(repr=False)
    photos: tuple[JudgedPhoto, ...]


def _inside_share(face: Face, image: Image) -> float:
    """How much of the middle of the face lies inside the picture, 0..1."""
    matrix = similarity(face.landmarks)
    points = (_FACE_POINTS - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    height, width = image.shape[:2]
    inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    return float(inside.mean())


def shortcoming(quality: Quality, *, inside: float = 1.0) -> PhotoReason | None:
    """The first thing to change about a look at a face, or None when it is good enough."""
    checks = (
        (inside < _LEAST_INSIDE, PhotoReason.FACE_CUT_OFF),
        (quality.face_px < SMALLEST_EYE_DISTANCE, PhotoReason.FACE_TOO_SMALL),
        (quality.brightness < DARKEST, PhotoReason.TOO_DARK),
        (quality.brightness > BRIGHTEST, PhotoReason.TOO_BRIGHT),
        (quality.contrast < LEAST_CONTRAST, PhotoReason.LOW_CONTRAST),
        (abs(quality.yaw_deg) > MOST_YAW, PhotoReason.TURNED_AWAY),
        (abs(quality.pitch_deg) > MOST_PITCH, PhotoReason.TURNED_AWAY),
        (abs(quality.roll_deg) > MOST_ROLL, PhotoReason.TILTED),
        (quality.sharpness < LEAST_SHARPNESS, PhotoReason.BLURRED),
    )
    return next((reason for failed, reason in checks if failed), None)


def look(pack: FacePack, data: bytes) -> Look:
    """A photo's one face, and how good a look it is.

    Raises:
        PhotoRefused: with the one reason.
    """
    image = decode_photo(data)
    found, suspicion = main_face(pack.detector, image)
    face = refine(pack.detector, image, found)
    crop = align(image, face.landmarks)
    quality = assess_crop(crop, face)
    reason = shortcoming(quality, inside=_inside_share(face, image))
    if reason or suspicion:
        raise PhotoRefused(reason or suspicion or PhotoReason.NO_FACE)
    return Look(image, face, crop, quality)


def judge(
    pack: FacePack,
    photos: Sequence[bytes],
    *,
    threshold: float | None = None,
) -> Judged:
    """Judge one person's photos (1 to `MOST_PHOTOS`) and fuse them into one template.

    Nothing is kept: neither photos nor crops outlive the call.

    Args:
        pack: the doors' models.
        photos: JPEG, PNG or WebP files.
        threshold: the cosine from which on the estate's doors open; None where no door is known,
            and nothing is said of whether the photos would open one.

    Raises:
        PhotoRefused: the first photo that cannot be used, with its index and the reason;
            different-people with the index of the photo that shows someone else;
            would-not-open with that of the photo least likely to open a door.
        ValueError: no photo, or too many.
    """
    if not 1 <= len(photos) <= MOST_PHOTOS:
        raise ValueError(f"an enrollment has 1 to {MOST_PHOTOS} photos")
    looks = []
    for index, data in enumerate(photos):
        try:
            looks.append(look(pack, data))
        except PhotoRefused as refused:
            raise PhotoRefused(refused.reason, index) from refused
    vectors = encode_with_mirror(pack.encoder, np.stack([one.crop for one in looks]))
    stranger = odd_one_out(vectors, calibration.load(pack.template_space, pack.folder).same_person)
    if stranger is not None:
        raise PhotoRefused(PhotoReason.DIFFERENT_PEOPLE, stranger)
    if threshold is not None:
        shut = unlikely_to_open(opening_shares(pack, looks, vectors, threshold))
        if shut is not None:
            raise PhotoRefused(PhotoReason.WOULD_NOT_OPEN, shut)
    total = sum(one.quality.score for one in looks)
    weights = [one.quality.score / total for one in looks]
    return Judged(
        template=fuse(vectors, weights),
        photos=tuple(
            JudgedPhoto(one.quality, weight) for one, weight in zip(looks, weights, strict=True)
        ),
    )


def odd_one_out(vectors: Vectors, threshold: float) -> int | None:
    """The row of (N, d) vectors least like the others, when any two fall below the threshold."""
    cosines = vectors @ vectors.T
    if float(cosines.min()) >= threshold:
        return None
    rest = cosines.sum(axis=1) - np.diag(cosines)
    # Of two, nobody can tell which is the wrong one: name the later.
    return len(vectors) - 1 if len(vectors) == 2 else int(np.argmin(rest))  # noqa: PLR2004
