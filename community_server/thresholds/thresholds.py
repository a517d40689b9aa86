"""Each door's threshold: the error budget spent with all that is known of strangers' scores."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from community_server.budget import Budget
from community_server.gallery import Gallery
from community_server.rosters.book import RosterBook
from community_server.thresholds.scores import PEOPLE, ScoreBook
from face_engine.error_budget import Explanation, explain
from face_engine.lookalikes import risk_level
from face_engine.self_calibration import OwnScores, Reckoning, between

_WORTH_MEASURING: Final = 0.05
"""Share of the gallery that has to change before its people are compared anew."""


@dataclass
class Thresholds:
    """How strict the doors are; safe to use from any thread."""

    budget: Budget
    gallery: Gallery
    scores: ScoreBook
    beside: Gallery | None = None
    """The gallery of another space, whose people a stranger may be taken for just as well."""
    _measured_at: tuple[int, int] = field(default=(0, 0))

    @property
    def size(self) -> int:
        """People known by face, in whatever space."""
        return len(self.gallery) + (len(self.beside) if self.beside else 0)

    def of(self, door: str) -> Reckoning:
        """Return the threshold for a door as its scores stand now."""
        return self.budget.reckon(self.size, self.own(door))

    def own(self, door: str) -> OwnScores:
        """Return the estate's own scores, with those of one door."""
        return OwnScores(self.scores.of(PEOPLE), self.scores.of(door))

    def explain(self, door: str, frames: int) -> Explanation:
        """Return what the budget comes to at a door that fuses `frames` frames a probe."""
        return explain(
            self.budget.budget,
            self.budget.calibration,
            people=self.size,
            frames=frames,
            own=self.own(door),
        )

    @property
    def most_lenient(self) -> float:
        """The cosine from which on a door without scores of its own opens: these only add to it."""
        return self.budget.reckon(self.size, OwnScores(self.scores.of(PEOPLE))).value

    @property
    def risk_level(self) -> float:
        """The cosine of two people's templates from which on doors may take one for the other."""
        return risk_level(self.most_lenient, self.budget.calibration)

    def measure_people(self, book: RosterBook) -> None:
        """Compare the estate's people with one another, once enough of them have changed."""
        size, changes = len(self.gallery), self.gallery.changes
        if (size, changes) == self._measured_at:
            return
        if changes - self._measured_at[1] <= _WORTH_MEASURING * size:
            return
        self._measured_at = (size, changes)
        rows = [row.roster for row in book.everybody() if row.active and row.roster.template]
        if rows:
            templates = np.stack([np.frombuffer(row.template, "<f4") for row in rows])
            self.scores.replace(PEOPLE, "server", between(templates, [row.unit for row in rows]))
