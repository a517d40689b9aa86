"""Does anything move? A cheap question that spares an idle door the detector.

The same few cells tell a camera that is covered, or looks into the dark.
"""

import time
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from door_terminal.camera.sources import Image
from door_terminal.vision.messages import CAMERA_BLIND

_GRID: Final = (80, 60)  # width, height: a face in any zone still covers several cells
_LEVELS: Final = 10.0
"""Grey levels by which a cell must differ; averaging over a cell leaves sensor noise below 2."""
_SHARE: Final = 0.004
"""Share of cells that must differ: 19 of 4,800, less than the smallest face that counts."""
_ABSORB: Final = 0.05
"""Weight of a new picture in the background: at five a second a parked bicycle is part of it
after some ten seconds."""
_PLAIN: Final = 1.5
"""Grey levels: a lens that is covered leaves less between its cells than any scene, fog or snow."""
_BLIND_S: Final = 60.0
"""A hand, a lorry or a lamp that fails for a moment passes within this."""


class MotionGate:
    """Compares each picture with a slowly learned background."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._background: cv2.typing.MatLike | None = None
        self._plain_since: float | None = None

    @property
    def blind(self) -> str:
        """`CAMERA_BLIND` when there has been nothing on the pictures for a minute, else empty."""
        since = self._plain_since
        return CAMERA_BLIND if since is not None and self._clock() - since > _BLIND_S else ""

    def moved(self, image: Image) -> bool:
        """Take the next picture, uint8, (H, W, 3) BGR or (H, W) grey; say whether something moved.

        A change of light over the whole picture (a lamp, a cloud) is taken out by its median.
        The first picture always counts.
        """
        seen = cv2.resize(_grey(image), _GRID, interpolation=cv2.INTER_AREA).astype(np.float32)
        self._note_plainness(seen)
        if self._background is None:
            self._background = seen
            return True
        difference = seen - self._background
        cv2.accumulateWeighted(seen, self._background, _ABSORB)
        # Without `np.median`, whose Python is half of what an idle door would run here.
        middle = difference.size // 2
        difference -= np.partition(difference.ravel(), middle)[middle]
        moving = np.count_nonzero(np.abs(difference) > _LEVELS)
        return bool(moving > _SHARE * difference.size)

    def _note_plainness(self, seen: cv2.typing.MatLike) -> None:
        _, spread = cv2.meanStdDev(seen)
        if float(spread[0, 0]) > _PLAIN:
            self._plain_since = None
        elif self._plain_since is None:
            self._plain_since = self._clock()


def _grey(image: Image) -> Image:
    """Return a picture in grey; of a large one in colour only some pixels of each cell."""
    if image.ndim == 2:  # noqa: PLR2004 - rows and columns
        return image
    rows, columns = (
        max(1, size // (2 * grid))
        for size, grid in zip(image.shape[:2], reversed(_GRID), strict=True)
    )
    few = np.ascontiguousarray(image[::rows, ::columns])
    return np.asarray(cv2.cvtColor(few, cv2.COLOR_BGR2GRAY), np.uint8)
