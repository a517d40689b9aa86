"""The estate's error budget, spent with the model it runs.

The reckoning is the face engine's (`face_engine.error_budget`); here it meets the settings.
"""

from dataclasses import dataclass

from community_server.settings import Settings
from face_engine.calibration import Calibration
from face_engine.error_budget import ErrorBudget
from face_engine.self_calibration import NO_SCORES, OwnScores, Reckoning


@dataclass(frozen=True)
class Budget:
    """The estate's error budget and the model it is spent with."""

    settings: Settings
    calibration: Calibration

    @property
    def budget(self) -> ErrorBudget:
        """What the estate accepts."""
        return ErrorBudget(self.settings.wrong_openings_per_month, self.settings.strangers_per_day)

    def reckon(self, people: int, own: OwnScores = NO_SCORES) -> Reckoning:
        """Return the threshold for a gallery of so many people, with the estate's own scores."""
        return self.budget.reckon(self.calibration, people, own)
