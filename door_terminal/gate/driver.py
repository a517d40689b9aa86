"""What every kind of gate can do."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Opening:
    """One order to open.

    Attributes:
        entry: The id of the recorded entry that permits it.
        seconds: How long the gate is to stay released.
        awaited: Whether somebody in particular is expected to pass.
    """

    entry: str
    seconds: float
    awaited: bool = True

    def fill(self, template: str) -> str:
        """Return a template with this order's `{seconds}` and `{entry}` in it."""
        return template.replace("{seconds}", f"{self.seconds:g}").replace("{entry}", self.entry)


class Gate(Protocol):
    """Something that releases a gate for a while."""

    def open(self, opening: Opening) -> None:
        """Open once, now. Never retried, never queued: a late opening is a wrong one.

        An order during another makes the release last as long as the later of the two; no order
        makes it last for ever, so that nothing has to arrive for a gate to shut again.

        Raises:
            GateFailed: the gate did not confirm it.
        """
        ...

    def close(self) -> None:
        """Let the wiring go; what the gate does then is the installer's choice."""
        ...
