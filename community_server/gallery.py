"""Everybody's turned template in one index in memory, rebuilt from the sealed store."""

import threading
from collections.abc import Callable, Mapping

import numpy as np

from community_server.rosters.book import Row
from face_engine.faces import Vectors
from face_engine.gallery_index import GalleryIndex, Hit


class Gallery:
    """The gallery of one template space; safe to use from any thread."""

    def __init__(
        self, dimension: int, template_of: Callable[[Row], bytes] = lambda row: row.roster.template
    ) -> None:
        """Hold vectors of `dimension` values; `template_of` finds a row's in this space."""
        self._template_of = template_of
        self._index = GalleryIndex(dimension)
        self._lock = threading.Lock()
        self.changes = 0
        """Counts changes of anybody's template."""

    def __len__(self) -> int:
        return len(self._index)

    def update(self, changes: Mapping[str, Row | None]) -> None:
        """Take in changed people; those without a template, or gone, leave the index."""
        with self._lock:  # two changes of one person must not both add
            self._update(changes)

    def _update(self, changes: Mapping[str, Row | None]) -> None:
        fresh: dict[str, bytes] = {}
        for person, row in changes.items():
            template = self._template_of(row) if row is not None and row.active else b""
            if template and person in self._index:
                self._index.replace(person, np.frombuffer(template, "<f4"))
                self.changes += 1
            elif template:
                fresh[person] = template
            elif person in self._index:
                self._index.remove(person)
                self.changes += 1
        if fresh:
            vectors = np.frombuffer(b"".join(fresh.values()), "<f4").reshape(len(fresh), -1)
            self._index.add_many(list(fresh), vectors)
            self.changes += len(fresh)

    def find(self, probe: Vectors, threshold: float, allowed: Callable[[str], bool]) -> str | None:
        """Return the nearest allowed person at or above `threshold`, None for nobody.

        `probe` is a (d,) unit vector, turned.
        """
        hit = self.best(probe, allowed, at_least=threshold)
        return hit.id if hit else None

    def best(
        self, probe: Vectors, allowed: Callable[[str], bool], *, at_least: float = -1.0
    ) -> Hit | None:
        """Return the nearest allowed person and their score; see `find`."""
        return self._index.nearest(probe, allowed, at_least=at_least)
