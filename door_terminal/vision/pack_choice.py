"""Which model pack vision loads: the installer's, the estate's, or the last that stayed up.

The estate names its pack while it may not be on this terminal yet, or may not run here. Then the
door goes on with the pack before, whose spaces differ, and the server matches; the estate's is
tried again every now and then.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from face_engine.models import DEFAULT_PACK
from tier_kit.private_files import write_private

_log = logging.getLogger(__name__)

STEADY_S: Final = 60.0
"""A pack that ran so long has come up: it is what the door goes back to."""
TRIES: Final = 3
"""Starts that a pack gets to come up; one alone may be lost to a busy board."""
AGAIN_S: Final = 3600.0
"""After how long a pack that did not come up is tried again: a try costs some seconds without
faces, and whoever has mended it can restart the terminal."""

FALLBACK: Final = "pack-fallback"
UNSTEADY: Final = "pack-unsteady"
"""Why a pack is not used: it was not ready in time, or died again and again."""

_MOST_NAME: Final = 64


class PackChoice:
    """Remembers what came up and what did not. Not thread-safe."""

    def __init__(
        self,
        fixed: str,
        wanted: Callable[[], str],
        file: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take both wishes, and where the last pack that came up is noted.

        Args:
            fixed: The installer's word, which goes before all; or empty.
            wanted: The estate's, as it stands now; empty while it says nothing.
            file: Holds a name; what cannot be read counts as the default pack.
            clock: Monotonic seconds.
        """
        self._fixed = fixed
        self._estates = wanted
        self._file = file
        self._clock = clock
        self._proven = _read(file)
        self._failed = ""  # the pack that starts in vain, ...
        self._failures = 0
        self._given_up = ""  # ... or that was given up until ...
        self._until = 0.0
        self._problem = ""

    @property
    def wanted(self) -> str:
        """The pack that should run here."""
        return self._fixed or self._estates() or self._proven

    @property
    def problem(self) -> str:
        """The code of what keeps the wanted pack from running, else empty."""
        return self._problem if self.wanted == self._given_up else ""

    def next(self) -> str:
        """Return the pack to load now."""
        wanted = self.wanted
        if wanted == self._given_up and self._clock() < self._until:
            return self._proven
        return wanted

    def came_up(self, pack: str) -> None:
        """Note that a pack has run for `STEADY_S`."""
        if pack != self.wanted:
            return
        self._failed, self._failures, self._given_up = "", 0, ""
        if pack == self._proven:
            return
        self._proven = pack
        try:
            write_private(self._file, pack.encode())
        except OSError as error:  # a full disk: the note is made at the next start
            _log.warning("the pack that runs was not noted: %s", error)

    def failed(self, pack: str, code: str = "") -> None:
        """Note that a pack did not come up.

        Args:
            pack: Which.
            code: Why, where vision itself said that it cannot work; another try would not help.
        """
        if pack == self.wanted == self._proven or pack == self._fixed:
            return  # there is no other
        if pack != self.wanted:  # the pack before does not run either
            self._given_up = ""
            return
        self._failures = self._failures + 1 if pack == self._failed else 1
        self._failed = pack
        if code or self._failures >= TRIES:
            self._failed, self._failures = "", 0
            self._given_up, self._until = pack, self._clock() + AGAIN_S
            self._problem = code or UNSTEADY
            _log.warning("pack=%s reason=%s action=%s", pack, self._problem, self._proven)


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii")[:_MOST_NAME] or DEFAULT_PACK
    except (OSError, ValueError):
        return DEFAULT_PACK
