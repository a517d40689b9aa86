"""Small live pictures for who asks: the unit's own screen, or the desk while somebody rings."""

import time
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from door_terminal.camera.sources import Image
from door_terminal.vision.messages import MAX_STILL, Show

SIDE: Final = 480
"""Longest side in pixels: half of a small screen's width, and quick to encode."""
LIVELY_S: Final = 0.12
"""Between two pictures while something moves: every second one of a usual camera's 15 a second."""
RESTING_S: Final = 1.0
"""Between two while nothing does, where they are wanted then, too."""
_QUALITIES: Final = (
    70,
    40,
    15,
    5,
)  # of the JPEG: the first that is small enough; even noise is, at the last


class Previewer:
    """Knows when the next live picture is due, and makes it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take seconds, steady."""
        self._clock = clock
        self._until = self._resting_until = 0.0
        self._last = float("-inf")

    def show(self, order: Show) -> None:
        """Take who wants pictures for how long; an order shortens no earlier one."""
        until = self._clock() + order.seconds
        self._until = max(self._until, until)
        if order.resting:
            self._resting_until = max(self._resting_until, until)

    @property
    def resting(self) -> bool:
        """Whether pictures are wanted also while nothing moves."""
        return self._clock() < self._resting_until

    def due(self, *, watching: bool) -> bool:
        """Say whether a picture is to be made now."""
        since = self._clock() - self._last
        if self.resting and since >= RESTING_S:
            return True
        return watching and self._clock() < self._until and since >= LIVELY_S

    def make(self, image: Image) -> bytes:
        """Return the picture, (H, W, 3) uint8 BGR, as a JPEG of at most `MAX_STILL` bytes."""
        self._last = self._clock()
        height, width = image.shape[:2]
        scale = min(1.0, SIDE / max(height, width))
        if scale < 1.0:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        attempts = (_jpeg(image, quality) for quality in _QUALITIES)
        return next(one for one in attempts if len(one) <= MAX_STILL)


def _jpeg(image: Image, quality: int) -> bytes:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
