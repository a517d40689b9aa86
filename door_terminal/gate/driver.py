"""What every kind of gate can do."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Opening:
    """One order to open.

    Attributes:
        entry: The id of the recorded entry that permits it.
        seconds: How long the gate is to stay released.
    """

    entry: str
    seconds: float


class Gate(Protocol):
    """Something that releases a gate for a while."""

    def open(self, opening: Opening) -> None:
        """Open once, now. Never retried, never queued: a late opening is a wrong one.

        Raises:
            GateFailed: the gate did not confirm it.
        """
        ...
