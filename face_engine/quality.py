"""How good a look at a face is: plain measures, and one score that orders frames.

Everything is measured on the aligned crop, the five landmarks and the detector's confidence, so
that it costs a fraction of an encoding and means the same at every camera.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.alignment import CROP_SIZE, align
from face_engine.faces import Face, Image

# A cosine that no threshold is below, and one that hardly any look has against a template.
_HOPELESS, _PERFECT = 0.3, 0.75
LEAST_SCORE = 0.2
"""A frame below this is not worth an encoding: doors wait for a better one."""
_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
# Relative depth of the landmarks in units of the distance between the eyes: a mean adult head
# with the tip of the nose well before, the corners of the mouth a little behind, the nose root.
_NOSE_DEPTH = 0.55
# Where the nose tip and the mouth lie below the eyes of a head that looks straight ahead, in
# units of the distance between the eyes (ArcFace's reference face has 0.57 and 1.15).
_NOSE_DROP = 0.57
_MOUTH_DROP = 1.15


@dataclass(frozen=True, slots=True)
class Quality:
    """One look at one face.

    Attributes:
        face_px: pixels between the eyes in the picture.
        sharpness: how much fine detail there is for its contrast, about 0 (blurred) to 1.
        brightness: mean grey of the face, 0..255.
        contrast: standard deviation of the grey of the face, 0..128.
        yaw_deg: turn to the side, degrees, positive toward the right of the picture; rough.
        pitch_deg: up (positive) or down, degrees; rough.
        roll_deg: tilt in the picture's plane, degrees, positive clockwise.
        score: 0..1, higher means more likely to match; orders frames of one sighting.
        confidence: the detector's, 0..1.
        grain: standard deviation of the noise in the grey of the face, levels of 255.
    """

    face_px: float
    sharpness: float
    brightness: float
    contrast: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    score: float
    confidence: float = 1.0
    grain: float = 0.0


MEASURES = (
    "face_px",
    "sharpness",
    "brightness",
    "contrast",
    "yaw_deg",
    "pitch_deg",
    "confidence",
    "grain",
)
"""The measures of a `Quality` that its score is made of."""


@cache
def _face_mask() -> NDArray[np.uint8]:
    """The middle of the crop, where skin is: an ellipse that leaves out hair and background."""
    mask = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    cv2.ellipse(mask, (56, 66), (34, 44), 0, 0, 360, 255, cv2.FILLED)
    return mask


def pose(landmarks: NDArray[np.floating]) -> tuple[float, float, float]:
    """Rough (yaw, pitch, roll) in degrees from (5, 2) landmarks.

    Yaw and pitch come from where the tip of the nose lies between eyes and mouth, after the roll
    is undone; five points that scatter by 2 px tell 10 degrees from 25, not 10 from 12.
    """
    points = np.asarray(landmarks, np.float64)
    across = points[1] - points[0]
    roll = np.arctan2(across[1], across[0])
    c, s = np.cos(-roll), np.sin(-roll)
    level = points @ np.array([[c, -s], [s, c]]).T
    eyes = (level[0] + level[1]) / 2
    mouth = (level[3] + level[4]) / 2
    # A turned head brings the eyes together; its height does not change, so the larger counts.
    scale = max(level[1, 0] - level[0, 0], (mouth[1] - eyes[1]) / _MOUTH_DROP, 1e-6)
    down = (level[2, 1] - eyes[1]) / max(mouth[1] - eyes[1], 1e-6)
    middle = eyes[0] + (mouth[0] - eyes[0]) * down
    sideways = (level[2, 0] - middle) / scale / _NOSE_DEPTH
    upward = (_NOSE_DROP / _MOUTH_DROP - down) * _MOUTH_DROP / _NOSE_DEPTH
    yaw, pitch = np.degrees(np.arcsin(np.clip([sideways, upward], -1, 1)))
    return float(yaw), float(pitch), float(np.degrees(roll))


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Fine detail of a (112, 112) crop relative to its contrast, about 0 to 1.

    The share of the picture's variation that a slight blur takes away, along rows and along
    columns; the smaller counts, since motion blurs one direction only. Independent of exposure.
    """
    inside = _face_mask() > 0
    wide = grey.astype(np.float32)
    detail = min(
        float((wide - cv2.GaussianBlur(wide, size, 2.0))[inside].std()) for size in ((9, 1), (1, 9))
    )
    return min(1.0, 4.0 * detail / (float(wide[inside].std()) + 4.0))


def grain(grey: NDArray[np.uint8]) -> float:
    """The noise of a (112, 112) crop, in grey levels (one standard deviation).

    J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64
    (1996): the mean response to the difference of two Laplacians, which edges hardly answer.
    """
    response = np.abs(cv2.filter2D(grey.astype(np.float32), -1, _LAPLACIANS))
    return float(response[_face_mask() > 0].mean() * np.sqrt(np.pi / 2) / 6)


def _rise(value: float, low: float, high: float) -> float:
    """0 up to low, 1 from high on, straight between."""
    return float(np.clip((value - low) / (high - low), 0, 1))


def expected_score(
    face_px: float,
    sharp: float,
    brightness: float,
    contrast: float,
    yaw_deg: float,
    pitch_deg: float,
    confidence: float,
    noise: float,
) -> float:
    """The cosine with the person's own template to expect, from what `MEASURES` names.

    A sum of what each measure leaves of a perfect look, fitted to some 6,000 looks at 298 people,
    good and degraded (`docs/face-engine.md`). Size and pose added nothing to it down to 10 pixels
    between the eyes and up to the turns that photos show: a zone's rules bound both.
    """
    del face_px, yaw_deg, pitch_deg
    parts = (
        -0.722,
        1.002 * _rise(confidence, 0.6, 0.93),
        0.108 * _rise(sharp, 0.1, 0.6),
        0.136 * _rise(math.log(max(brightness, 1)), math.log(20), math.log(100)),
        0.123 * (1 - _rise(brightness, 190, 245)),
        0.039 * _rise(math.log(max(contrast, 1)), math.log(3), math.log(30)),
        0.031
        * (1 - _rise(math.log(max(noise, 0.1) / (contrast + 1)), math.log(0.02), math.log(0.3))),
    )
    return sum(parts)


def score(measures: Sequence[float]) -> float:
    """`expected_score` of what `MEASURES` names as a number from 0 (hopeless) to 1."""
    return _rise(expected_score(*measures), _HOPELESS, _PERFECT)


def assess_crop(crop: Image, face: Face) -> Quality:
    """The quality of a face whose aligned (112, 112, 3) crop is at hand."""
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.uint8)
    mean, deviation = cv2.meanStdDev(grey, mask=_face_mask())
    yaw, pitch, roll = pose(face.landmarks)
    values = face.eye_distance, sharpness(grey), float(mean[0, 0]), float(deviation[0, 0])
    noise = grain(grey)
    return Quality(
        *values,
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        score=score((*values, yaw, pitch, face.score, noise)),
        confidence=face.score,
        grain=noise,
    )


def assess(image: Image, face: Face) -> Quality:
    """The quality of a face in the picture it was found in."""
    return assess_crop(align(image, face.landmarks), face)
