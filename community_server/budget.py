"""From "so many wrong openings a month" to a threshold per sighting.

What the estate states, the strangers it expects and the size of the gallery give the FPIR that
each sighting may have; the model's calibration turns that into a cosine.
"""

from dataclasses import dataclass
from typing import Final

from community_server.settings import Settings
from face_engine.calibration import Calibration, Threshold

DAYS_PER_MONTH: Final = 30.44
SMALLEST_GALLERY: Final = 100
"""People for whom the threshold is set at least. It moves in doublings of this, always ahead of
the gallery, so that doors are not reconfigured with every newcomer."""
MOST_FPIR: Final = 0.5
"""Beyond this a budget asks for nothing."""


@dataclass(frozen=True)
class Budget:
    """The estate's error budget and the model it is spent with."""

    settings: Settings
    calibration: Calibration

    @property
    def fpir(self) -> float:
        """The false positive identification rate that one sighting of a stranger may have."""
        sightings = self.settings.strangers_per_day * DAYS_PER_MONTH
        return min(MOST_FPIR, self.settings.wrong_openings_per_month / sightings)

    def threshold(self, people: int) -> Threshold:
        """Return the threshold for a gallery of so many people."""
        size = SMALLEST_GALLERY
        while size < people:
            size *= 2
        return self.calibration.threshold(self.fpir, size)
