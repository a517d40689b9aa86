"""The interface of a gate, and the one place that knows which drivers there are."""

from dataclasses import dataclass
from typing import Protocol

from door_terminal.errors import StartRefused
from door_terminal.settings import Settings


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


def open_gate(settings: Settings) -> Gate:
    """Return the driver that the settings name.

    Raises:
        StartRefused: the driver lacks a setting (`configuration-malformed`).
    """
    # Imported here: each driver brings libraries that other doors need not have installed.
    if settings.gate == "simulated":
        from door_terminal.gate.simulated import SimulatedGate  # noqa: PLC0415 - see above

        return SimulatedGate(settings.data / "gate.jsonl")
    if not settings.gate_url.startswith(("http://", "https://")):
        raise StartRefused("the http gate needs gate_url", code="configuration-malformed")
    from door_terminal.gate.http import HttpGate  # noqa: PLC0415 - see above

    return HttpGate(
        settings.gate_url,
        method=settings.gate_method,
        body=settings.gate_body,
        headers=settings.gate_headers,
        timeout_s=settings.gate_timeout_s,
    )
