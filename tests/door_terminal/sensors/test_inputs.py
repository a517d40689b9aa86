"""Each source tells the level of its wire: gpiozero's pins, a real broker, a file."""

import json
import secrets
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gpiozero")

from gpiozero.pins.mock import MockFactory

from door_terminal.errors import StartRefused
from door_terminal.sensors.choice import open_inputs
from door_terminal.sensors.gpio import GpioInput
from door_terminal.sensors.inputs import Input, Wiring
from door_terminal.sensors.simulated import SimulatedInput
from door_terminal.settings import Settings
from tests.door_terminal.estate import eventually
from tests.support.brokers import broker_at_hand, listener, own_broker


@pytest.mark.parametrize(
    ("text", "wiring"),
    [
        ("gpio:17", Wiring("gpio", "17", "low", "up")),
        ("gpio:BOARD11?active=high&pull=none", Wiring("gpio", "BOARD11", "high", "none")),
        ("mqtt:site/fire", Wiring("mqtt", "site/fire", "ON")),
        ("mqtt:site/fire?active=1", Wiring("mqtt", "site/fire", "1")),
        ("simulated", Wiring("simulated")),
    ],
)
def test_an_installers_words_name_a_wire(text: str, wiring: Wiring) -> None:
    assert Wiring.parse(text) == wiring


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "gpio",
            "gpio:",
            "mqtt:",
            "17",
            "http://board",
            "simulated:x",
            "simulated?active=low",
        ),
        *("gpio:17?active=on", "gpio:17?pull=both", "gpio:17?level=low", "mqtt:t?pull=up"),
    ],
)
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(StartRefused) as refused:
        Wiring.parse(text)
    assert refused.value.code == "configuration-malformed"


@pytest.mark.parametrize("active", ["high", "low"])
@pytest.mark.parametrize("pull", ["up", "down", "none"])
def test_a_line_is_active_at_the_level_that_was_named(active: str, pull: Any) -> None:
    factory = MockFactory()
    pin = factory.pin(17)
    if pull == "none":
        pin.drive_low()
    with closing(GpioInput("17", active_high=active == "high", pull=pull, factory=factory)) as line:
        assert line.read() is ((pull == "up") is (active == "high"))  # nothing is connected
        pin.drive_high()
        assert line.read() is (active == "high")
        pin.drive_low()
        assert line.read() is (active == "low")
    assert line.read() is None


def test_a_line_that_is_not_there_is_named() -> None:
    with pytest.raises(StartRefused) as refused:
        GpioInput("GPIO999", active_high=True, pull="up", factory=MockFactory())
    assert refused.value.code == "wiring-unusable"


def test_a_broker_tells_levels_and_its_absence_tells_nothing(tmp_path: Path) -> None:
    with own_broker(tmp_path) as broker:
        settings = Settings(
            data=tmp_path,
            mqtt_host="127.0.0.1",
            mqtt_port=broker.port,
            input_fire="mqtt:site/fire",
            input_contact="mqtt:site/contact?active=open",
        )
        with listener("127.0.0.1", broker.port, "site/#", lambda *_: None) as panel:
            panel.publish("site/fire", "ON", qos=1, retain=True).wait_for_publish(10)
            inputs = open_inputs(settings)
            fire, contact = inputs[Input.FIRE], inputs[Input.CONTACT]
            with closing(fire), closing(contact):
                eventually(lambda: fire.read() is True)  # as the broker had kept it
                assert contact.read() is None
                panel.publish("site/contact", "open")
                eventually(lambda: contact.read() is True)
                panel.publish("site/fire", "OFF")
                eventually(lambda: fire.read() is False)
                broker.down()
                eventually(lambda: fire.read() is None)


def test_a_press_may_not_come_over_a_network(tmp_path: Path) -> None:
    host, port = broker_at_hand()
    topic = f"gatehouse-test/{secrets.token_hex(6)}"
    wired = {"input_exit": f"mqtt:{topic}", "mqtt_host": host, "mqtt_port": port}
    with pytest.raises(StartRefused):
        open_inputs(Settings(data=tmp_path, **wired))  # type: ignore[arg-type] # mixed values


def test_a_simulated_wire_keeps_its_level_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    wire = SimulatedInput(file, "exit")
    assert wire.read() is False
    part = tmp_path / "part"
    for levels, level in [({"exit": True}, True), ({"fire": True}, False), ({}, False)]:
        part.write_text(json.dumps(levels))
        part.replace(file)
        assert wire.read() is level
    for broken in ("{", "[]"):
        part.write_text(broken)
        part.replace(file)
        assert wire.read() is None
    file.unlink()
    assert wire.read() is False


def test_nothing_is_wired_unless_it_is_named(tmp_path: Path) -> None:
    assert open_inputs(Settings(data=tmp_path)) == {}
