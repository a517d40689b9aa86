"""What the book's latest updates replaced, as hashes: whoever is behind can catch up by it."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Final

MOST_UPDATES: Final = 1000
"""Updates that are remembered. Every news and presence of a door catches up, seconds apart."""


class History:
    """By revision, whose rows were replaced and what each hashed to before."""

    def __init__(self) -> None:
        self._updates: deque[Mapping[str, bytes | None]] = deque(maxlen=MOST_UPDATES)

    def note(self, replaced: Mapping[str, bytes | None]) -> None:
        """Add the next revision: people with the hash of what was replaced, None for nothing."""
        self._updates.append(replaced)

    def forget(self) -> None:
        """Begin anew: too much was replaced at once to be remembered."""
        self._updates.clear()

    def last(self, revisions: int) -> Mapping[str, set[bytes]] | None:
        """Return what the latest so many revisions replaced; None where that was forgotten."""
        if revisions > len(self._updates):
            return None
        replaced: defaultdict[str, set[bytes]] = defaultdict(set)
        for number in range(len(self._updates) - revisions, len(self._updates)):
            for person, row in self._updates[number].items():
                replaced[person] |= {row} if row is not None else set()
        return replaced
