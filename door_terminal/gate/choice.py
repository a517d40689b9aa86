"""The one place that knows which drivers there are."""

from door_terminal.errors import StartRefused
from door_terminal.gate.driver import Gate
from door_terminal.settings import Settings

# Imported in the functions: each driver brings libraries that other doors need not have installed.


def open_gate(settings: Settings) -> Gate:
    """Return the driver that the settings name.

    Raises:
        StartRefused: the driver lacks a setting or a library (`configuration-malformed`), or its
            line cannot be used (`wiring-unusable`).
    """
    match settings.gate:
        case "http":
            return _http(settings)
        case "gpio":
            return _gpio(settings)
        case "mqtt":
            return _mqtt(settings)
        case "simulated":
            from door_terminal.gate.simulated import SimulatedGate  # noqa: PLC0415 - see above

            return SimulatedGate(settings.data / "gate.jsonl")


def _http(settings: Settings) -> Gate:
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


def _gpio(settings: Settings) -> Gate:
    if not settings.gate_pin:
        raise StartRefused("the gpio gate needs gate_pin", code="configuration-malformed")
    try:
        from door_terminal.gate.gpio import GpioGate  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        raise StartRefused(
            "the gpio gate needs the extra 'gpio': pip install 'gatehouse-access[gpio]'",
            code="configuration-malformed",
        ) from missing
    return GpioGate(
        settings.gate_pin,
        active_high=settings.gate_active == "high",
        fail_safe=settings.gate_fail == "safe",
    )


def _mqtt(settings: Settings) -> Gate:
    if not settings.gate_topic:
        raise StartRefused("the mqtt gate needs gate_topic", code="configuration-malformed")
    from door_terminal.gate.mqtt import MqttGate  # noqa: PLC0415 - see above

    return MqttGate(settings)
