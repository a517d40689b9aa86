"""Does a template still fit its person? What little has to be kept of their matches to tell.

A child grows, a beard comes, a camera is replaced: the accepted scores sink towards the threshold,
and refusals begin. Kept are two running medians, of how far accepted scores lie above the
threshold and of how far they scatter around that; no score, no time.
"""

import struct
from dataclasses import dataclass
from typing import Final

LEAST_MATCHES: Final = 20
"""Fewer say little of a median."""
REACH: Final = 3.05
"""Scatters (median absolute deviations) between the usual score and the threshold below which one
sighting in fifty is likely to be refused: 2.05 standard deviations of 1.4826 such each."""
STEP: Final = 0.005
"""By how much a median moves with each match: it follows within some dozens."""
FIRST_STEP: Final = 0.1
"""The same for the first matches, shared by their number: medians are found, then followed."""

_FORMAT: Final = struct.Struct("<Idd")


@dataclass(frozen=True, slots=True)
class Margins:
    """How far above the threshold one person's accepted scores lie.

    Attributes:
        matches: how many were seen, counted up to `LEAST_MATCHES`.
        usual: their running median.
        scatter: the running median of their distance from it.
    """

    matches: int = 0
    usual: float = 0.0
    scatter: float = 0.0

    @property
    def faded(self) -> bool:
        """Whether so many sightings are likely to be refused that the face should be renewed."""
        return self.matches >= LEAST_MATCHES and self.usual < REACH * self.scatter

    def after(self, margin: float) -> "Margins":
        """Take in one accepted score's distance from its threshold, a cosine, 0 or more."""
        if not self.matches:
            return Margins(1, margin, margin / REACH)
        step = max(STEP, FIRST_STEP / (self.matches + 1)) if self.young else STEP
        away = abs(margin - self.usual)
        return Margins(
            matches=min(self.matches + 1, LEAST_MATCHES),
            usual=_towards(self.usual, margin, step),
            scatter=_towards(self.scatter, away, step / 2),
        )

    @property
    def young(self) -> bool:
        """Whether the medians are still being found."""
        return self.matches < LEAST_MATCHES

    def to_bytes(self) -> bytes:
        """Twenty bytes to be sealed."""
        return _FORMAT.pack(self.matches, self.usual, self.scatter)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Margins":
        """Out and back with `to_bytes`.

        Raises:
            ValueError: of another length.
        """
        try:
            return cls(*_FORMAT.unpack(data))
        except struct.error as wrong:
            raise ValueError("not the margins of a person") from wrong


def _towards(value: float, target: float, step: float) -> float:
    return min(value + step, target) if target > value else max(value - step, target)
