"""Whether somebody has shown, by a button or by stepping up, that they want in."""

from threading import Lock
from typing import Final

PRESENCE_S: Final = 10.0
"""After a press, or after who stood there has stepped aside, a face counts for so long: time to
look up, to be told to take off a cap, and to be tried again."""


class Wanting:
    """Follows one input. Times are seconds of the monotonic clock. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._active = False
        self._until = float("-inf")

    def changed(self, at: float, *, active: bool) -> None:
        """Take the input's new level."""
        with self._lock:
            if active or self._active:
                self._until = at + PRESENCE_S
            self._active = active

    def covers(self, at: float) -> bool:
        """Say whether what was seen at this time was seen of somebody who wants in."""
        with self._lock:
            return self._active or at <= self._until
