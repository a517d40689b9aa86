"""The same face again: a lost and regained track, a loiterer, a restarted vision process.

None of them is a new wish to come in. Times are seconds of the monotonic clock.
"""

from typing import Final

import numpy as np

from face_engine.faces import Vectors

SAME_STRANGER: Final = 0.5
"""Cosine above which two probes of a few seconds show one unknown face: far above the scores
between different people (below 0.22 in 99% of pairs), below those within one scene."""
_MOST_STRANGERS: Final = 64  # the oldest go first: a crowd must not fill the memory


class Cooldown:
    """Remembers for a few seconds who was just dealt with. Not thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._strangers: list[tuple[Vectors, float]] = []

    def holds_back(self, person: str, probe: Vectors | None, at: float, seconds: float) -> bool:
        """Say whether this sighting is the last one over again.

        Args:
            person: Who was recognised; empty for nobody.
            probe: (d,) unit vector of a face that nobody was recognised in, where there is one.
            at: Now.
            seconds: The door's cooldown.
        """
        self._known = {one: last for one, last in self._known.items() if at - last < seconds}
        self._strangers = [(v, last) for v, last in self._strangers if at - last < seconds]
        if person:
            return person in self._known
        return probe is not None and any(_alike(probe, vector) for vector, _ in self._strangers)

    def note(self, person: str, probe: Vectors | None, at: float) -> None:
        """Remember whoever was dealt with at this time."""
        if person:
            self._known[person] = at
        elif probe is not None:
            others = [(v, last) for v, last in self._strangers if not _alike(probe, v)]
            self._strangers = [*others, (probe, at)][-_MOST_STRANGERS:]


def _alike(first: Vectors, second: Vectors) -> bool:
    return first.shape == second.shape and float(np.dot(first, second)) > SAME_STRANGER
