"""A relay on the computer's own line: gpiozero's pins tell what level the line really has."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("gpiozero")

from gpiozero.pins.mock import MockFactory

from door_terminal.errors import GateFailed, StartRefused
from door_terminal.gate import Opening, open_gate
from door_terminal.gate.gpio import GpioGate
from door_terminal.settings import Settings
from tests.door_terminal.estate import eventually

SHORT = Opening("e" * 32, 0.05)


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory()


def level(factory: MockFactory) -> bool:
    return bool(factory.pin(17).state)


@pytest.mark.parametrize(
    ("active_high", "fail_safe", "idle", "shut", "released"),
    [
        (True, False, False, False, True),  # the relay is on to release
        (False, False, True, True, False),
        (True, True, False, True, False),  # the relay is on to keep the gate shut
        (False, True, True, False, True),
    ],
)
def test_a_release_is_a_pulse_between_levels_that_the_wiring_asks_for(
    factory: MockFactory,
    *,
    active_high: bool,
    fail_safe: bool,
    idle: bool,
    shut: bool,
    released: bool,
) -> None:
    gate = GpioGate("17", active_high=active_high, fail_safe=fail_safe, factory=factory)
    pin = factory.pin(17)
    pin.clear_states()
    assert level(factory) is shut
    gate.open(SHORT)
    eventually(lambda: level(factory) is shut)
    gate.close()
    assert [bool(one.state) for one in pin.states][:3] == [shut, released, shut]
    # Let go, the line is an input: its resistor decides, and the idle level is what shuts or frees.
    assert pin.function == "input"
    assert (idle is shut) is not fail_safe


def test_the_later_of_two_ends_counts(factory: MockFactory) -> None:
    gate = GpioGate("17", active_high=True, fail_safe=False, factory=factory)
    pin = factory.pin(17)
    gate.open(Opening("a" * 32, 0.3))
    gate.open(SHORT)
    begun = time.monotonic()
    eventually(lambda: not level(factory))
    assert time.monotonic() - begun >= 0.2
    assert [bool(one.state) for one in pin.states].count(True) == 1
    gate.close()


def test_a_line_that_keeps_its_level_is_a_failure(factory: MockFactory) -> None:
    gate = GpioGate("17", active_high=True, fail_safe=False, factory=factory)
    pin = factory.pin(17)
    pin._set_state = lambda _: None  # shorted to ground
    with pytest.raises(GateFailed) as failed:
        gate.open(SHORT)
    assert failed.value.code == "gate-refused"


def test_a_gate_that_was_closed_stays_shut(factory: MockFactory) -> None:
    gate = GpioGate("17", active_high=True, fail_safe=False, factory=factory)
    gate.close()
    gate.close()
    with pytest.raises(GateFailed):
        gate.open(SHORT)
    assert level(factory) is False


def test_a_line_that_is_taken_is_named(factory: MockFactory) -> None:
    first = GpioGate("17", active_high=True, fail_safe=False, factory=factory)
    with pytest.raises(StartRefused) as refused:
        GpioGate("17", active_high=True, fail_safe=False, factory=factory)
    assert refused.value.code == "wiring-unusable"
    with pytest.raises(StartRefused):
        GpioGate("GPIO999", active_high=True, fail_safe=False, factory=factory)
    first.close()


def test_a_gpio_gate_without_its_line_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StartRefused):
        open_gate(Settings(gate="gpio", data=tmp_path))


def test_the_installers_words_reach_the_line(tmp_path: Path) -> None:
    """In a process of its own: gpiozero keeps one factory for a whole process."""
    program = (
        "from door_terminal.gate import Opening, open_gate\n"
        "from door_terminal.settings import Settings\n"
        "from gpiozero import Device\n"
        "gate = open_gate(Settings())\n"
        "pin = Device.pin_factory.pin(17)\n"
        "before = pin.state; gate.open(Opening('e' * 32, 30)); print(before, pin.state)\n"
    )
    environment = dict(os.environ) | {
        "GPIOZERO_PIN_FACTORY": "mock",
        "GATEHOUSE_CONFIG": str(tmp_path / "none.toml"),
        "GATEHOUSE_DOOR_GATE": "gpio",
        "GATEHOUSE_DOOR_GATE_PIN": "GPIO17",
        "GATEHOUSE_DOOR_GATE_ACTIVE": "low",
        "GATEHOUSE_DOOR_GATE_FAIL": "safe",
    }
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert ran.stdout.split() == ["False", "True"]
