"""How alike the others look at this door: counts in bins, nothing of whom or when.

At each accepted sighting the best score among everybody else is one that a stranger of this
population could have reached, before this camera and in this light. The server sets the door's
threshold by such counts; see `face_engine.self_calibration`.
"""

import logging
from threading import Lock

import numpy as np
from sqlalchemy import Engine, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from door_terminal.database import CountedScoresRow
from face_engine.self_calibration import NOTHING, ScoreHistogram
from tier_link.estate_messages import ScoresCounted
from tier_link.store import reading

_log = logging.getLogger(__name__)


class OtherScores:
    """The histogram of the template space in use. Thread-safe; stored when asked to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._space = ""
        self._histogram = NOTHING
        self._unsaved = False

    def note(self, space: str, score: float, people: int) -> None:
        """Count the best score among `people` others."""
        with self._lock:
            self._turn_to(space)
            self._histogram = self._histogram.with_score(score, people)
            self._unsaved = True

    def message(self, space: str) -> ScoresCounted:
        """Return what the server is told."""
        with self._lock:
            self._turn_to(space)
            return ScoresCounted(space, self._histogram.counts, self._histogram.compared)

    def save(self) -> None:
        """Store what is new; a disk that cannot take it costs a few counts at most.

        Written without the lock: an opening may be waiting to be counted.
        """
        with self._lock:
            if not self._unsaved:
                return
            self._unsaved, space = False, self._space
            row = CountedScoresRow(
                space=space,
                counts=np.asarray(self._histogram.counts, "<u4").tobytes(),
                compared=self._histogram.compared,
            )
        try:
            with Session(self._engine) as session, session.begin():
                # Scores of a space that is no longer used say nothing any more.
                session.execute(delete(CountedScoresRow).where(CountedScoresRow.space != space))
                session.merge(row)
        except SQLAlchemyError as error:
            _log.warning("the scores could not be stored: %s", type(error).__name__)
            with self._lock:
                self._unsaved |= self._space == space

    def _turn_to(self, space: str) -> None:
        if space == self._space:
            return
        with Session(reading(self._engine)) as session:
            row = session.get(CountedScoresRow, space)
            self._histogram = (
                ScoreHistogram(tuple(np.frombuffer(row.counts, "<u4").tolist()), row.compared)
                if row
                else NOTHING
            )
        self._space, self._unsaved = space, False
