"""The estate's error budget, spent with the model it runs.

The reckoning is the face engine's (`face_engine.error_budget`); here it meets the settings.
"""

from dataclasses import dataclass

from community_server.settings import Settings
from face_engine.calibration import Calibration, Threshold
from face_engine.error_budget import ErrorBudget


@dataclass(frozen=True)
class Budget:
    """The estate's error budget and the model it is spent with."""

    settings: Settings
    calibration: Calibration

    def threshold(self, people: int) -> Threshold:
        """Return the threshold for a gallery of so many people."""
        budget = ErrorBudget(
            self.settings.wrong_openings_per_month,
            self.settings.strangers_per_day,
        )
        return budget.threshold(self.calibration, people)
