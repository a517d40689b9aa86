"""Which inputs there are, and how an installer names where one is wired."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol
from urllib.parse import parse_qsl

from door_terminal.errors import StartRefused


class Input(StrEnum):
    """What may be wired to a door. *Active* means pressed, burning, open, opened, there."""

    EXIT = "exit"
    FIRE = "fire"
    CONTACT = "contact"
    TAMPER = "tamper"
    CALL = "call"
    PRESENCE = "presence"


class Source(Protocol):
    """Where one input's level comes from."""

    def read(self) -> bool | None:
        """Say whether the input is active now; None while that cannot be known."""
        ...

    def close(self) -> None:
        """Let the wiring go."""
        ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """Where one input is wired: `kind:address?active=…&pull=…`.

    Attributes:
        kind: Which source.
        address: gpiozero's name of a line, or a topic.
        active: The level (`low`, `high`) or the message that means active.
        pull: Of a line: the resistor that is switched on.
    """

    kind: Literal["gpio", "mqtt", "simulated"]
    address: str = ""
    active: str = ""
    pull: Literal["up", "down", "none"] = "up"

    @classmethod
    def parse(cls, text: str) -> "Wiring":
        """Read what a setting says.

        Raises:
            StartRefused: it says nothing that can be wired (`configuration-malformed`).
        """
        place, _, given = text.partition("?")
        kind, _, address = place.partition(":")
        options = dict(parse_qsl(given, keep_blank_values=True))
        active, pull = options.pop("active", ""), options.pop("pull", "up")
        match kind, bool(address), options:
            case "simulated", False, {} if not options and not given:
                return cls("simulated")
            case "mqtt", True, {} if not options and "pull" not in given:
                return cls("mqtt", address, active or "ON")
            case "gpio", True, {} if not options and active in {"", "low", "high"}:
                if pull in {"up", "down", "none"}:
                    return cls("gpio", address, active or "low", pull)  # type: ignore[arg-type]
        raise StartRefused(
            f"'{text}' is no input: gpio:17?active=low&pull=up, mqtt:topic?active=ON or simulated",
            code="configuration-malformed",
        )
