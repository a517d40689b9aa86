"""The estate's own scores in memory, and from time to time in the database."""

import threading
from typing import Final, Literal

import numpy as np
from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from community_server.thresholds.tables import CountedScores
from face_engine.self_calibration import NOTHING, ScoreHistogram

CountedBy = Literal["server", "door"]

PEOPLE: Final = ""
"""Stands for a door's id where the scores are those between the estate's own people."""


class ScoreBook:
    """Histograms of one template space by door; safe to use from any thread."""

    def __init__(self, space: str) -> None:
        self.space = space
        self._lock = threading.Lock()
        self._histograms: dict[tuple[str, CountedBy], ScoreHistogram] = {}
        self._unsaved: set[tuple[str, CountedBy]] = set()

    def load(self, session: Session) -> None:
        """Take over what the database holds."""
        rows = session.scalars(select(CountedScores).where(CountedScores.space == self.space)).all()
        with self._lock:
            for row in rows:
                counts = tuple(np.frombuffer(row.counts, "<u4").tolist())
                counted_by: CountedBy = "door" if row.counted_by == "door" else "server"
                self._histograms[row.door, counted_by] = ScoreHistogram(counts, row.compared)

    def save(self, session: Session) -> None:
        """Write what is new, in a transaction of the caller's; until its commit it stays new."""
        with self._lock:
            unsaved = {key: self._histograms[key] for key in self._unsaved}
        for (door, counted_by), histogram in unsaved.items():
            row = CountedScores(
                door=door,
                space=self.space,
                counted_by=counted_by,
                counts=np.asarray(histogram.counts, "<u4").tobytes(),
                compared=histogram.compared,
            )
            session.merge(row)

        def settle(_: Session) -> None:
            with self._lock:
                for key, histogram in unsaved.items():
                    if self._histograms.get(key) is histogram:  # else there is a newer one
                        self._unsaved.discard(key)

        event.listen(session, "after_commit", settle, once=True)

    def note(self, door: str, score: float, people: int) -> None:
        """Count the best score among `people` others of a sighting matched here."""
        with self._lock:
            before = self._histograms.get((door, "server"), NOTHING)
            self._keep(door, "server", before.with_score(score, people))

    def replace(self, door: str, counted_by: CountedBy, histogram: ScoreHistogram) -> None:
        """Take a whole count in place of the last one."""
        with self._lock:
            if self._histograms.get((door, counted_by)) != histogram:
                self._keep(door, counted_by, histogram)

    def of(self, door: str) -> ScoreHistogram:
        """Return all scores of a door, or of `PEOPLE`."""
        with self._lock:
            here = self._histograms.get((door, "server"), NOTHING)
            there = self._histograms.get((door, "door"), NOTHING)
        return here.together(there)

    def forget(self, session: Session, door: str) -> None:
        """Drop a door's scores: the door is gone."""
        with self._lock:
            for key in [key for key in self._histograms if key[0] == door]:
                del self._histograms[key]
                self._unsaved.discard(key)
        session.execute(delete(CountedScores).where(CountedScores.door == door))

    def _keep(self, door: str, counted_by: CountedBy, histogram: ScoreHistogram) -> None:
        self._histograms[door, counted_by] = histogram
        self._unsaved.add((door, counted_by))
