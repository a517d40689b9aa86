"""What a door says of its health beside what its parts say: how fast, how full, how warm."""

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from statistics import median
from threading import Lock
from typing import Final

from access_rules.people import Credential
from door_terminal.decisions.decider import Outcome
from door_terminal.probe import Speed
from door_terminal.settings import Mode

_log = logging.getLogger(__name__)

LAST: Final = 50
"""Decisions that the median is of: of today at a busy door, of this week at a quiet one."""
ZONES: Final = Path("/sys/class/thermal")
_COLDEST, _WARMEST = -40.0, 150.0  # beyond these a sensor is broken or means something else


class Latency:
    """How long the last decisions by face took; on any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: deque[float] = deque(maxlen=LAST)

    def note(self, outcome: Outcome) -> None:
        """Take one decision; those that began with no face do not count."""
        if outcome.credential is Credential.FACE:
            ended = outcome.released_ns or outcome.decided_ns
            with self._lock:
                self._last.append((ended - outcome.needed_ns) / 1e6)

    def median(self) -> tuple[float, int]:
        """Return the median in milliseconds, and of how many; (0, 0) when there was none."""
        with self._lock:
            return (median(self._last), len(self._last)) if self._last else (0.0, 0)


class ModeWatch:
    """Notes since when faces are matched where they are; a change is logged with its figures."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take seconds, steady."""
        self._clock = clock
        self._mode = ""
        self._since = clock()

    def note(self, mode: Mode, speed: Speed | None) -> float:
        """Take the mode in force; return for how many seconds it has been."""
        if mode != self._mode:
            _log.info(
                "matching mode=%s before=%s detect_ms=%.0f encode_ms=%.0f",
                mode,
                self._mode or "-",
                speed.detect_ms if speed else 0.0,
                speed.encode_ms if speed else 0.0,
            )
            self._mode, self._since = mode, self._clock()
        return self._clock() - self._since


def disk_free(folder: Path) -> int | None:
    """Return the bytes that are free where a folder lies; None when nobody can tell."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def temperature(zones: Path = ZONES) -> float | None:
    """Return the warmest of the machine's parts in degrees Celsius; None where none is measured."""
    degrees = []
    for file in zones.glob("thermal_zone*/temp"):
        try:
            degrees.append(int(file.read_text("ascii")) / 1000)
        except (OSError, ValueError):
            continue  # a sensor that is switched off
    return max((one for one in degrees if _COLDEST < one < _WARMEST), default=None)
