"""Everybody's turned template in one index in memory, rebuilt from the sealed store."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from community_server.rosters.book import Row
from face_engine.faces import Vectors
from face_engine.gallery_index import GalleryIndex

_FIRST_LOOK: Final = 8
"""Hits fetched at first: the best is nearly always among them."""


class Gallery:
    """The gallery of one template space; safe to use from any thread."""

    def __init__(self, dimension: int) -> None:
        self._index = GalleryIndex(dimension)

    def __len__(self) -> int:
        return len(self._index)

    def update(self, changes: Mapping[str, Row | None]) -> None:
        """Take in changed people; those without a template, or gone, leave the index."""
        for person, row in changes.items():
            if row is not None and row.active and row.roster.template:
                self._index.put(person, np.frombuffer(row.roster.template, "<f4"))
            elif person in self._index:
                self._index.remove(person)

    def find(self, probe: Vectors, threshold: float, allowed: Callable[[str], bool]) -> str | None:
        """Return the nearest allowed person at or above `threshold`, None for nobody.

        `probe` is a (d,) unit vector, turned. Exact: hits are fetched until one is allowed or
        the next would be below the threshold.
        """
        count = _FIRST_LOOK
        while True:
            hits = self._index.search(probe, count)
            for hit in hits:
                if hit.score < threshold:
                    return None
                if allowed(hit.id):
                    return hit.id
            if len(hits) < count:
                return None
            count *= 4
