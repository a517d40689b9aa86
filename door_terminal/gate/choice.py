"""The one place that knows which drivers there are."""

from door_terminal.errors import StartRefused
from door_terminal.gate.driver import Gate
from door_terminal.settings import Settings


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
