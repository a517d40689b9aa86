"""One upright portrait as a camera sees it while its person turns the head.

The sample photo shows each person once. A head of average shape is laid under the portrait and
turned about its neck: landmarks move as a real head's do, pixels are that person's own. Only
slight turns look right; those are what an enrollment asks for.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

# A mean adult head, in distances between the eyes: half its width and height, how far the face
# lies before the neck's axis, and how far the tip of the nose stands out of it.
_HALF_WIDTH: Final = 1.25
_HALF_HEIGHT: Final = 1.75
_DEPTH: Final = 0.9
_NOSE: Final = 0.6
_NOSE_SPREAD: Final = 0.34
_STEPS: Final = (
    12  # of the search for the pixel that turns to a place; it halves its error each time
)


def turned(portrait: Image, landmarks: NDArray[np.floating], degrees: float) -> Image:
    """Turn the head of an upright portrait.

    Args:
        portrait: (H, W, 3) uint8 BGR.
        landmarks: (5, 2) pixels: right eye, left eye, nose, corners of the mouth.
        degrees: positive towards the right of the picture, the person's own left.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    eyes_apart = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    middle = (landmarks[:2].mean(axis=0) + landmarks[3:].mean(axis=0)) / 2
    height, width = portrait.shape[:2]
    x = (np.arange(width, dtype=np.float32)[None, :] - middle[0]) / eyes_apart
    y = (np.arange(height, dtype=np.float32)[:, None] - middle[1]) / eyes_apart
    nose = (landmarks[2] - middle) / eyes_apart
    x, y = (np.broadcast_to(axis, (height, width)) for axis in (x, y))
    # Plain numbers: NumPy's own would turn every array into one of doubles.
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    source = x
    for _ in range(_STEPS):
        depth, inside = _shape(source, y, nose)
        # Outside the head nothing turns.
        there = (x - depth * sine) / (1 - inside * (1 - cosine))
        source = (source + there) / 2
    seen = cv2.remap(
        portrait,
        np.asarray(source * eyes_apart + middle[0], np.float32),
        np.asarray(y * eyes_apart + middle[1], np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen, np.uint8)


def _shape(
    x: NDArray[np.floating], y: NDArray[np.floating], nose: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """How far before the neck's axis the surface lies, and 0..1 how far inside the head."""
    within = np.clip(1 - (x / _HALF_WIDTH) ** 2 - (y / _HALF_HEIGHT) ** 2, 0, 1)
    to_nose = ((x - nose[0]) ** 2 + (y - nose[1]) ** 2) / _NOSE_SPREAD**2
    inside = np.sqrt(within)
    return _DEPTH * inside + _NOSE * np.exp(-to_nose / 2), inside


def swing(start: float, end: float, steps: int) -> Sequence[float]:
    """The angles of a head that turns smoothly from `start` to `end`, in degrees."""
    eased = (1 - np.cos(np.linspace(0, np.pi, steps))) / 2
    return [float(start + (end - start) * share) for share in eased]


def turning(
    portrait: Image, landmarks: NDArray[np.floating], angles: Sequence[float]
) -> Iterator[Image]:
    """Yield the portrait turned by each of `angles`, in degrees."""
    seen: dict[float, Image] = {}
    for angle in angles:
        rounded = round(angle, 1)
        if rounded not in seen:
            seen[rounded] = turned(portrait, landmarks, rounded)
        yield seen[rounded]
