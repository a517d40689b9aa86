"""Camera pictures of a QR pass on a phone's screen, rendered for tests, demo and benchmarks.

The screen is brighter than the wall, has its own fine grid of pixels and a reflection across it;
the phone is turned and tilted, the picture out of focus or smeared, noisy, and comes as a JPEG as
from a network camera. A rendering, not a recording: it shows what is read in principle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from gatehouse.scenes import FRAME_RATE, FRAME_SIZE, Image, empty_view

_MODULE: Final = 12
"""Pixels of a module on the screen; a multiple of the grid's four."""
_QUIET: Final = 4  # modules of white around a code (ISO/IEC 18004)
_JPEG_QUALITY: Final = 85
_LIT: Final = 235.0
_DARK: Final = 25.0


@dataclass(frozen=True)
class View:
    """How a pass is held before the camera.

    Attributes:
        share: The code's side, without its quiet zone, as a share of the picture's height.
        turned: Degrees by which it is rotated in the picture's plane.
        tilted: Degrees by which its screen leans away.
        blur: Standard deviation of the defocus, in pixels.
        smear: Length of the motion blur, in pixels; 0 for none.
    """

    share: float
    turned: float = 0.0
    tilted: float = 0.0
    blur: float = 0.6
    smear: int = 0


def hold_up(text: str, view: View, random: np.random.Generator) -> Image:
    """Return one camera picture of a code, (480, 640, 3) uint8 BGR.

    Args:
        text: What the code says.
        view: How it is held.
        random: Where it is held, light and noise.
    """
    screen, side = _screen(text, random)
    placing = _placing(screen.shape[0], view.share * FRAME_SIZE[1] / side, view, random)
    # Smaller than the screen's own pixels: averaged, as a lens does, or the grid would alias.
    shrunk = cv2.GaussianBlur(screen, (0, 0), 0.35 * side / (view.share * FRAME_SIZE[1]))
    seen = np.asarray(cv2.warpPerspective(shrunk, placing, FRAME_SIZE), np.float32)
    mask = cv2.warpPerspective(np.ones_like(screen), placing, FRAME_SIZE)[..., None]
    wall = empty_view(random).astype(np.float32)
    picture = wall * (1 - mask) + seen[..., None] * mask
    picture = cv2.GaussianBlur(picture, (0, 0), view.blur)
    if view.smear:
        picture = cv2.filter2D(picture, -1, _smear(view.smear, random.uniform(0, 180)))
    picture = picture * random.uniform(0.8, 1.1) + random.normal(0, 4, picture.shape)
    raw = np.clip(picture, 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", raw, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def show_for(
    text: str, random: np.random.Generator, *, seconds: float = 2.0, share: float = 0.4
) -> Iterator[Image]:
    """Yield the frames of a phone held before the camera by an unsteady hand."""
    for _ in range(max(2, round(seconds * FRAME_RATE))):
        turned, tilted = random.normal(0, 2), random.normal(0, 4)
        yield hold_up(text, View(share, turned, tilted), random)


def _screen(text: str, random: np.random.Generator) -> tuple[NDArray[np.float32], float]:
    """Draw the screen square around a code; return it with the code's side in its pixels."""
    # As the console and the phone draw it: the fewest modules first, error correction after that.
    code = segno.make(text, error="l", micro=False)
    modules = np.array([list(row) for row in code.matrix_iter(border=_QUIET)], np.float32)
    levels = np.where(modules > 0, _DARK, _LIT).astype(np.float32)
    whole = modules.shape[0] * _MODULE
    screen = np.asarray(
        cv2.resize(levels, (whole, whole), interpolation=cv2.INTER_NEAREST), np.float32
    )
    screen[::4] *= 0.85  # the grid between a screen's pixels
    screen[:, ::4] *= 0.85
    across = np.linspace(-1, 1, whole, dtype=np.float32)
    slope, offset = random.uniform(-1, 1), random.uniform(-0.8, 0.8)
    band = np.exp(-(((across[None, :] - slope * across[:, None] - offset) / 0.18) ** 2))
    return screen + 35 * band, float(whole - 2 * _QUIET * _MODULE)


def _placing(
    side: int, scale: float, view: View, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the homography from the screen's pixels to the camera's."""
    turn, tilt = np.radians(view.turned), np.radians(view.tilted)
    half = side * scale / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    flat = corners @ rotation.T
    distance = 2.5 * FRAME_SIZE[1]  # of the camera, in its own pixels
    depth = distance + flat[:, 1] * np.sin(tilt)
    leaning = (
        np.stack([flat[:, 0], flat[:, 1] * np.cos(tilt)], axis=1) * (distance / depth)[:, None]
    )
    room = np.maximum(0.0, np.array(FRAME_SIZE) / 2 - np.abs(leaning).max(axis=0) - 2)
    centre = np.array(FRAME_SIZE) / 2 + random.uniform(-1, 1, 2) * np.minimum(room, 60)
    source = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    return np.asarray(
        cv2.getPerspectiveTransform(source, (leaning + centre).astype(np.float32)), np.float64
    )


def _smear(length: int, degrees: float) -> NDArray[np.float32]:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1.0
    turning = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(kernel, turning, (length, length)), np.float32)
    return np.asarray(turned / turned.sum(), np.float32)
