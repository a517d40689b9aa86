"""The one place that knows which sources there are."""

from collections.abc import Mapping

from door_terminal.errors import StartRefused
from door_terminal.sensors.inputs import Input, Source, Wiring
from door_terminal.settings import Settings

# Imported in the functions: each source brings libraries that other doors need not have installed.


def open_inputs(settings: Settings) -> dict[Input, Source]:
    """Return the inputs that the settings name.

    Raises:
        StartRefused: one cannot be wired as it says.
    """
    named = {
        Input.EXIT: settings.input_exit,
        Input.FIRE: settings.input_fire,
        Input.CONTACT: settings.input_contact,
        Input.TAMPER: settings.input_tamper,
        Input.CALL: settings.input_call,
        Input.PRESENCE: settings.input_presence,
    }
    wired = {one: Wiring.parse(text) for one, text in named.items() if text}
    sources: dict[Input, Source] = {}
    for one, wiring in wired.items():
        if wiring.kind == "gpio":
            sources[one] = _gpio(wiring)
        elif wiring.kind == "simulated":
            from door_terminal.sensors.simulated import (  # noqa: PLC0415 - see above
                SimulatedInput,
            )

            sources[one] = SimulatedInput(settings.data / "inputs.json", one.value)
    by_broker = {one: wiring for one, wiring in wired.items() if wiring.kind == "mqtt"}
    return sources | (_mqtt(settings, by_broker) if by_broker else {})


def _gpio(wiring: Wiring) -> Source:
    try:
        from door_terminal.sensors.gpio import GpioInput  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        raise StartRefused(
            "gpio inputs need the extra 'gpio': pip install 'gatehouse-access[gpio]'",
            code="configuration-malformed",
        ) from missing
    return GpioInput(wiring.address, active_high=wiring.active == "high", pull=wiring.pull)


def _mqtt(settings: Settings, wired: Mapping[Input, Wiring]) -> dict[Input, Source]:
    from door_terminal.sensors.mqtt import MqttInput, connect_inputs  # noqa: PLC0415 - see above

    if len({wiring.address for wiring in wired.values()}) < len(wired):
        raise StartRefused("two inputs share one topic", code="configuration-malformed")
    if Input.EXIT in wired:
        raise StartRefused(
            "an exit button is wired to the unit: a network may deliver a press too late",
            code="configuration-malformed",
        )
    inputs = {one: MqttInput(wiring.active) for one, wiring in wired.items()}
    connect_inputs(settings, {wired[one].address: source for one, source in inputs.items()})
    return dict(inputs)
