"""What the terminal notices about itself and calls for help about."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from access_rules.alarms import AlarmKind
from door_terminal.alarms import AlarmLog
from door_terminal.vision.messages import CAMERA_BLIND

CAMERA_LOST_S: Final = 120.0
"""A camera may be restarted, and vision with it, within this."""
READER_LOST_S: Final = 30.0
"""A card reader may be unplugged and moved within this."""
DISK_LOW: Final = 64 * 1024 * 1024
"""Bytes: days of entries, and time to send somebody."""
DISK_FINE: Final = 96 * 1024 * 1024
FILLING: Final = 0.9
NOT_FILLING: Final = 0.8
_NO_FAULT: Final = frozenset({"", "camera-none", "camera-ended", CAMERA_BLIND})


class SelfCheck:
    """Looks at camera, card reader, disk and log; alarms end well clear of where they begin.

    Args:
        folder: The data folder.
        alarms: The door's alarms.
        camera: Why there are no pictures; empty while there are.
        filled: How full the log is of what the server has not taken, 1.0 is full.
        clock: Seconds, steady.
        card_reader: Why there is no card reader; empty while there is, or none is wanted.
    """

    def __init__(
        self,
        folder: Path,
        alarms: AlarmLog,
        camera: Callable[[], str],
        filled: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        card_reader: Callable[[], str] = lambda: "",
    ) -> None:
        self._folder = folder
        self._alarms = alarms
        self._camera = camera
        self._filled = filled
        self._clock = clock
        self._card_reader = card_reader
        self._camera_fine_at = self._reader_fine_at = clock()

    def look(self) -> None:
        """Raise and clear what is due."""
        now = self._clock()
        camera = self._camera()
        self._alarms.put(AlarmKind.CAMERA_BLIND, active=camera == CAMERA_BLIND)
        if camera in _NO_FAULT:
            self._camera_fine_at = now
        lost = now - self._camera_fine_at > CAMERA_LOST_S
        self._alarms.put(AlarmKind.CAMERA_LOST, active=lost)
        if not self._card_reader():
            self._reader_fine_at = now
        lost = now - self._reader_fine_at > READER_LOST_S
        self._alarms.put(AlarmKind.CARD_READER_LOST, active=lost)
        self._follow(AlarmKind.DISK_LOW, -self._free(), -DISK_LOW, -DISK_FINE)
        self._follow(AlarmKind.ENTRIES_FILLING, self._filled(), FILLING, NOT_FILLING)

    def _follow(self, kind: AlarmKind, value: float, raised_at: float, over_below: float) -> None:
        if value >= raised_at:
            self._alarms.put(kind, active=True)
        elif value < over_below:
            self._alarms.put(kind, active=False)

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0
