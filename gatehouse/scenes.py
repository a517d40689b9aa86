"""Camera sequences of people walking up to a door, rendered from still photos.

The demo, the end-to-end tests and the benchmarks play these: a face cut out of a photo comes
nearer in front of a plain wall, sways, is lit unevenly and shaken by sensor noise. It is a
rendering, not a recording: it shows that the whole path works, not how accurate it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

FRAME_SIZE: Final = (640, 480)  # width, height in pixels, a common door camera's sub-stream
FRAME_RATE: Final = 15.0  # frames a second

_WALL_BGR: Final = (150, 160, 165)


@dataclass(frozen=True)
class Cutout:
    """A head cut out of a photo: pixels and a soft mask.

    Attributes:
        pixels: (H, W, 3) uint8 BGR.
        mask: (H, W, 1) float32 in 0..1, an ellipse that fades out.
        face_width: width of the face in `pixels`, in pixels.
    """

    pixels: Image
    mask: NDArray[np.float32]
    face_width: float


def cut_out(photo: Image, box: NDArray[np.float32]) -> Cutout:
    """Cut a head out of a photo.

    Args:
        photo: (H, W, 3) uint8 BGR.
        box: (4,) float32: x, y, width, height of the face in pixels.
    """
    x, y, width, height = (float(value) for value in box)
    centre = (x + width / 2, y + height / 2)
    size = (round(width * 1.9), round(height * 1.9))
    pixels = cv2.getRectSubPix(photo, size, centre).astype(np.uint8)
    mask = np.zeros(pixels.shape[:2], np.float32)
    middle = (size[0] // 2, size[1] // 2)
    cv2.ellipse(mask, middle, (round(width * 0.74), round(height * 0.8)), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), width * 0.05).astype(np.float32)
    return Cutout(pixels, mask[:, :, None], width)


def empty_view(random: np.random.Generator) -> Image:
    """Return one noisy frame of the wall with nobody in front of it, (480, 640, 3) uint8 BGR."""
    return _as_camera_sees(np.full((*FRAME_SIZE[::-1], 3), _WALL_BGR, np.float32), 1.0, random)


def walk_up(
    person: Cutout,
    random: np.random.Generator,
    *,
    seconds: float = 2.0,
    face_widths: tuple[float, float] = (90.0, 190.0),
) -> Iterator[Image]:
    """Yield the frames of one person coming up to the door.

    Args:
        person: who comes.
        random: the source of sway, light and noise; the same seed gives the same frames.
        seconds: how long they take, at `FRAME_RATE`.
        face_widths: the face's width in pixels in the first and the last frame.

    Yields:
        (480, 640, 3) uint8 BGR frames.
    """
    count = max(2, round(seconds * FRAME_RATE))
    phase = random.uniform(0, 2 * np.pi)
    light_from, light_to = random.uniform(0.75, 1.15, 2)
    for number in range(count):
        progress = number / (count - 1)
        face_width = face_widths[0] + (face_widths[1] - face_widths[0]) * progress
        swing = np.sin(phase + progress * 2 * np.pi)
        centre = (FRAME_SIZE[0] * (0.5 + 0.06 * swing), FRAME_SIZE[1] * (0.5 + 0.02 * swing))
        view = _place(person, face_width, centre, roll_degrees=3.0 * swing)
        yield _as_camera_sees(view, light_from + (light_to - light_from) * progress, random)


def walk_past(
    person: Cutout,
    random: np.random.Generator,
    *,
    seconds: float,
    face_width: float = 110.0,
) -> Iterator[Image]:
    """Yield the frames of one person who crosses the view and looks at the door all the while.

    Args:
        person: who goes by, as their photo shows them.
        random: the source of noise.
        seconds: from one edge to the other, at `FRAME_RATE`; a metre wide, that takes a walker one.
        face_width: pixels.

    Yields:
        (480, 640, 3) uint8 BGR frames.
    """
    count = max(2, round(seconds * FRAME_RATE))
    outside = face_width
    for across in np.linspace(-outside, FRAME_SIZE[0] + outside, count):
        view = _place(person, face_width, (float(across), FRAME_SIZE[1] / 2), 0.0)
        yield _as_camera_sees(view, 1.0, random)


def _place(
    person: Cutout, face_width: float, centre: tuple[float, float], roll_degrees: float
) -> NDArray[np.float32]:
    view = np.full((*FRAME_SIZE[::-1], 3), _WALL_BGR, np.float32)
    height, width = person.pixels.shape[:2]
    placing = cv2.getRotationMatrix2D(
        (width / 2, height / 2), roll_degrees, face_width / person.face_width
    )
    placing[:, 2] += np.subtract(centre, (width / 2, height / 2))
    pixels = np.asarray(cv2.warpAffine(person.pixels, placing, FRAME_SIZE), np.float32)
    mask = np.asarray(cv2.warpAffine(person.mask, placing, FRAME_SIZE), np.float32)[:, :, None]
    return view * (1 - mask) + pixels * mask


def _as_camera_sees(view: NDArray[np.float32], light: float, random: np.random.Generator) -> Image:
    side = np.linspace(0.92, 1.08, FRAME_SIZE[0], dtype=np.float32)[None, :, None]
    noise = random.normal(0.0, 4.0, view.shape).astype(np.float32)
    seen: NDArray[np.float32] = np.clip(view * light * side + noise, 0, 255)
    return seen.astype(np.uint8)
