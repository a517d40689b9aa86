"""Whether more faces were at a door than it let in: pure, with the time given in seconds.

A hint, no proof: who is hidden behind somebody has no face, and who stayed behind had one.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

LED_S: Final = 1.0
"""Faces that stood there so long before the release belong to it: vision tells once a second."""
TOLD_S: Final = 1.5
"""After the door has shut, what vision saw until then arrives within this."""
_MOST: Final = 600  # some ten minutes of an open door


class TailgateWatch:
    """Follows one door with a contact. Not thread-safe."""

    def __init__(self) -> None:
        self._faces: deque[tuple[float, int]] = deque(maxlen=_MOST)
        self._grants: dict[str, float] = {}
        self._due: list[tuple[float, dict[str, float]]] = []

    def saw(self, faces: int, at: float) -> None:
        """Take the most faces that were near enough at once in the last second."""
        self._faces.append((at, faces))

    def granted(self, entry: str, at: float) -> None:
        """Take that somebody was let in."""
        self._grants.setdefault(entry, at)

    def forget(self) -> None:
        """Take that nobody passed."""
        self._grants.clear()

    def shut(self, at: float) -> None:
        """Take that the door has shut behind whoever passed."""
        if self._grants:
            self._due.append((at, self._grants))
        self._grants = {}

    def passed(self, at: float) -> Iterator[str]:
        """Take that time has passed; yield the entries behind which more faces were seen."""
        while self._due and at > self._due[0][0] + TOLD_S:
            shut_at, grants = self._due.pop(0)
            since = min(grants.values()) - LED_S
            most = max((n for when, n in self._faces if since <= when <= shut_at + 1), default=0)
            if most > len(grants):
                yield max(grants, key=lambda entry: grants[entry])
