"""Does anything move? A cheap question that spares an idle door the detector."""

from typing import Final

import cv2
import numpy as np

from door_terminal.camera.sources import Image

_GRID: Final = (80, 60)  # width, height: a face in any zone still covers several cells
_LEVELS: Final = 10.0
"""Grey levels by which a cell must differ; averaging over a cell leaves sensor noise below 2."""
_SHARE: Final = 0.004
"""Share of cells that must differ: 19 of 4,800, less than the smallest face that counts."""
_ABSORB: Final = 0.05
"""Weight of a new picture in the background: at five a second a parked bicycle is part of it
after some ten seconds."""


class MotionGate:
    """Compares each picture with a slowly learned background."""

    def __init__(self) -> None:
        self._background: cv2.typing.MatLike | None = None

    def moved(self, image: Image) -> bool:
        """Take the next picture, (H, W, 3) uint8 BGR; say whether something in it moved.

        A change of light over the whole picture (a lamp, a cloud) is taken out by its median.
        The first picture always counts.
        """
        rows, columns = (
            max(1, size // (2 * grid))
            for size, grid in zip(image.shape[:2], reversed(_GRID), strict=True)
        )
        grey = cv2.cvtColor(np.ascontiguousarray(image[::rows, ::columns]), cv2.COLOR_BGR2GRAY)
        seen = cv2.resize(grey, _GRID, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._background is None:
            self._background = seen
            return True
        difference = seen - self._background
        difference -= float(np.median(difference))
        cv2.accumulateWeighted(seen, self._background, _ABSORB)
        return float(np.mean(np.abs(difference) > _LEVELS)) > _SHARE
