"""Short films of people at a door, and of pictures of them held up to it.

Each film is one person (a portrait) and one kind: what is before the camera and how it moves.
Seeded: the same portrait and kind give the same film.
"""

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.evaluation.liveness.surfaces import (
    EYE_DISTANCE_M,
    Camera,
    Pose,
    Surface,
    head,
    render,
    screen_picture,
    sheet,
)
from face_engine.faces import Image

FRAME_S: Final = 0.1
FRAMES: Final = 20
_CAMERA: Final = Camera()
_MOST_EYES_PX: Final = 50.0
_SHOWN: Final = 0.7  # of a portrait's width, by a sheet or screen
_NEAREST_M, _FARTHEST_M = 0.45, 0.95


class Kind(StrEnum):
    """What is before the camera; attacks are the species of ISO/IEC 30107-3."""

    LIVE_STILL = "live-still"
    LIVE_WALK = "live-walk"
    LIVE_GLANCE = "live-glance"
    PRINT = "print"
    PRINT_TILTING = "print-tilting"
    PRINT_BENT = "print-bent"
    CARD = "card"
    SCREEN = "screen"
    SCREEN_TILTING = "screen-tilting"
    VIDEO = "video"

    @property
    def live(self) -> bool:
        """Whether a living person stands there."""
        return self.value.startswith("live")


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photo of somebody who looks about straight ahead: picture and (5, 2) landmarks."""

    name: str
    photo: Image
    landmarks: NDArray[np.float32]

    @classmethod
    def of(cls, name: str, photo: Image, landmarks: NDArray[np.floating]) -> "Portrait":
        """Shrink a larger photo: detail finer than a camera's pixels would shimmer in a film."""
        factor = _MOST_EYES_PX / float(np.linalg.norm(landmarks[1] - landmarks[0]))
        if factor >= 1:
            return cls(name, photo, np.asarray(landmarks, np.float32))
        small = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return cls(name, np.asarray(small, np.uint8), np.asarray(landmarks * factor, np.float32))


@dataclass(frozen=True, slots=True)
class _Conditions:
    """One film's camera and light."""

    gain: float
    noise: float
    blur: float
    quality: int


def film(
    portrait: Portrait, kind: Kind, seed: int = 0, *, turn: float | None = None
) -> Iterator[Image]:
    """Frames of 640 x 480, `FRAME_S` apart.

    With `turn`, whoever or whatever is there turns that far aside (degrees, positive toward the
    picture's right) and back, as an answer to a challenge would look.
    """
    source = np.random.default_rng(zlib.crc32(f"{portrait.name}/{kind}/{seed}".encode()))
    conditions = _Conditions(
        gain=source.uniform(0.75, 1.15),
        noise=source.uniform(1.5, 4.5),
        blur=source.uniform(0.4, 0.9),
        quality=int(source.integers(80, 95)),
    )
    poses = _poses(kind, source, turn)
    backdrop = _entrance(source)
    for surface, pose in zip(_surfaces(portrait, kind, source), poses, strict=False):
        yield _taken(render(surface, pose, _CAMERA, backdrop), conditions, source)


@cache
def _grain() -> NDArray[np.float32]:
    """Standard normal noise, larger than a picture: drawing it anew for each is half the work."""
    source = np.random.default_rng(30107)
    shape = (_CAMERA.height + 64, _CAMERA.width + 64, 3)
    return source.standard_normal(shape, np.float32)


def _taken(scene: Image, conditions: _Conditions, source: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(scene, (0, 0), conditions.blur).astype(np.float32)
    x, y = source.integers(0, 64, 2)
    grain = _grain()[y : y + _CAMERA.height, x : x + _CAMERA.width]
    wide = cv2.addWeighted(soft, conditions.gain, grain, conditions.noise, 0)
    picture = np.clip(wide, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, conditions.quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _entrance(source: np.random.Generator) -> Image:
    """What is behind everybody: a wall with some things on it, a little out of focus."""
    base = source.uniform(70, 190) + source.uniform(-20, 20, 3)
    slope = np.linspace(-25, 25, _CAMERA.width)[None, :, None]
    wall = np.clip(np.tile(base + slope, (_CAMERA.height, 1, 1)), 0, 255).astype(np.uint8)
    for _ in range(5):
        x, y = source.integers(0, _CAMERA.width), source.integers(0, _CAMERA.height)
        grey = source.uniform(30, 220)
        colour = tuple(float(np.clip(grey + value, 0, 255)) for value in source.uniform(-40, 40, 3))
        size = source.integers(30, 160, 2)
        cv2.rectangle(wall, (int(x), int(y)), (int(x + size[0]), int(y + size[1])), colour, -1)
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), 3), np.uint8)


def _surfaces(portrait: Portrait, kind: Kind, source: np.random.Generator) -> Iterator[Surface]:
    if kind.live:
        return itertools.repeat(head(portrait.photo, portrait.landmarks))
    eyes = float(np.linalg.norm(portrait.landmarks[1] - portrait.landmarks[0]))
    picture = _framed(portrait)
    life_size = picture.shape[1] / eyes * EYE_DISTANCE_M
    match kind:
        case Kind.PRINT_BENT:
            radius = source.uniform(0.12, 0.35) * source.choice([1, -1])
            return itertools.repeat(sheet(picture, life_size, radius=float(radius)))
        case Kind.CARD:
            return itertools.repeat(sheet(picture, life_size / 3))
        case Kind.SCREEN | Kind.SCREEN_TILTING:
            shown = screen_picture(picture, bezel=12, seed=int(source.integers(1 << 30)))
            return itertools.repeat(sheet(shown, life_size * 0.8))
        case Kind.VIDEO:
            return _replayed(portrait, life_size, int(source.integers(1 << 30)))
        case _:
            return itertools.repeat(sheet(picture, life_size))


def _replayed(portrait: Portrait, width: float, seed: int) -> Iterator[Surface]:
    """A film of the person, shown on a screen."""
    for frame in film(portrait, Kind.LIVE_GLANCE, seed):
        part = frame[80:, 190:450]
        small = np.asarray(cv2.resize(part, None, fx=0.67, fy=0.67), np.uint8)
        shown = screen_picture(small, bezel=10, seed=seed)
        yield sheet(shown, width)


def _framed(portrait: Portrait) -> Image:
    """The middle of the portrait, as somebody would print it."""
    rows, columns = portrait.photo.shape[:2]
    side = round((1 - _SHOWN) / 2 * columns)
    return np.ascontiguousarray(portrait.photo[: rows - side // 2, side : columns - side])


def _poses(kind: Kind, source: np.random.Generator, turn: float | None) -> list[Pose]:
    times = np.arange(FRAMES) * FRAME_S
    end = times[-1]

    def wave(size: float, seconds: float) -> NDArray[np.float64]:
        rate = 2 * np.pi / (seconds * source.uniform(0.8, 1.25))
        phase = source.uniform(0, 2 * np.pi)
        return np.asarray(size * source.uniform(0.6, 1.2) * np.sin(rate * times + phase))

    closeness = 1 / 3 if kind is Kind.CARD else 1.0  # a card is small and held close
    yaw, pitch, roll = wave(1.5, 3), wave(1.2, 3), wave(1.0, 3)
    x, y = wave(0.012 * closeness, 3), wave(0.006 * closeness, 2)
    z = source.uniform(_NEAREST_M, _FARTHEST_M) * closeness + wave(0.01 * closeness, 2)
    match kind:
        case Kind.LIVE_WALK:
            z = np.linspace(1.25, source.uniform(0.5, 0.7), FRAMES)
            y, yaw, pitch = y + wave(0.012, 0.6), yaw + wave(3, 2), pitch + wave(2, 1)
        case Kind.LIVE_GLANCE:
            yaw, pitch = yaw + wave(7, 2), pitch + wave(4, 1.5)
        case Kind.PRINT_TILTING | Kind.SCREEN_TILTING:
            yaw, pitch = yaw + wave(22, 2), pitch + wave(14, 1.6)
        case Kind.PRINT_BENT:
            yaw, pitch = yaw + wave(12, 2), pitch + wave(5, 1.6)
        case _:
            pass
    if turn is not None:
        yaw = yaw + turn * np.sin(np.pi * np.clip((times - 0.3) / (end - 0.3), 0, 1))
    return [
        Pose(*(float(value) for value in at)) for at in zip(yaw, pitch, roll, x, y, z, strict=True)
    ]
