"""How fast is this terminal, and where should it match therefore?"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from door_terminal.settings import Mode
from face_engine.alignment import CROP_SIZE
from face_engine.faces import Detector, Encoder

_RUNS: Final = 5
_VIEW: Final = (480, 640, 3)
LOCAL_MS: Final = 250.0
"""Up to here nobody notices the terminal's own work: the person is still walking."""
HYBRID_MS: Final = 600.0
"""Up to here its own work is bearable, and the server is asked only when in doubt."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Median milliseconds of one detection (640 x 480) and one encoding on this machine."""

    detect_ms: float
    encode_ms: float


def measure(detector: Detector, encoder: Encoder) -> Speed:
    """Time both models; the first run of each warms it up and does not count."""
    random = np.random.default_rng(0)
    view = random.integers(0, 256, _VIEW, np.uint8)
    crop = random.integers(0, 256, (1, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    return Speed(
        detect_ms=_timed(lambda: detector.detect(view)),
        encode_ms=_timed(lambda: encoder.encode(crop)),
    )


def _timed(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


def choose_mode(wanted: Mode, speed: Speed | None, frames: int) -> Mode:
    """Return where to match: what is wanted, or with "auto" what this machine is good for.

    Args:
        wanted: The installer's or the server's word.
        speed: As measured; None while vision is not up, which keeps "auto" local.
        frames: Good frames of a probe, each of which is one encoding.
    """
    if wanted != "auto":
        return wanted
    if speed is None:
        return "local"
    cost = speed.detect_ms + frames * speed.encode_ms
    if cost <= LOCAL_MS:
        return "local"
    return "hybrid" if cost <= HYBRID_MS else "remote"
