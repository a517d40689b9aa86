"""Where a card reader hangs, and how an installer names it."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol
from urllib.parse import parse_qsl

from door_terminal.errors import StartRefused

USUAL_BAUD: Final = 9600
BAUDS: Final = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
"""Speeds at which readers write."""
TERMINATOR: Final = "\n"
"""What ends a number, whatever the reader writes for it."""
JUNK: Final = "?"
"""What stands for a character that no number has."""


class Source(Protocol):
    """One reader that is open."""

    def read(self, timeout_s: float) -> str:
        """Wait at most so long for what it writes; return it, empty for nothing.

        Raises:
            OSError: the reader is gone.
        """
        ...

    def close(self) -> None:
        """Let it go."""
        ...


@dataclass(frozen=True, slots=True)
class ReaderWiring:
    """A card reader: `kind:path?…`.

    Attributes:
        kind: `serial`, or `keyboard` for one that types.
        path: Its device.
        baud: Of a serial one.
        hexadecimal: It writes digits alone in hexadecimal, too.
    """

    kind: Literal["serial", "keyboard"]
    path: str
    baud: int = USUAL_BAUD
    hexadecimal: bool = False

    @classmethod
    def parse(cls, text: str) -> "ReaderWiring":
        """Read what the setting says.

        Raises:
            StartRefused: it names no reader (`configuration-malformed`).
        """
        place, _, given = text.partition("?")
        kind, _, path = place.partition(":")
        options = dict(parse_qsl(given, keep_blank_values=True))
        baud = options.pop("baud", str(USUAL_BAUD))
        style = options.pop("format", "decimal")
        known = baud.isdecimal() and int(baud) in BAUDS and style in {"decimal", "hex"}
        if known and not options and path.startswith("/"):
            match kind:
                case "serial":
                    return cls("serial", path, int(baud), style == "hex")
                case "keyboard" if "baud" not in given:
                    return cls("keyboard", path, hexadecimal=style == "hex")
        raise StartRefused(
            f"'{text}' is no card reader: serial:/dev/ttyUSB0?baud=9600&format=decimal or "
            "keyboard:/dev/input/by-id/…?format=hex",
            code="configuration-malformed",
        )


def open_reader(wiring: ReaderWiring) -> Source:
    """Open a reader.

    Raises:
        OSError: it is not there, or cannot be had alone.
    """
    # Imported here: each kind brings what other doors need not have installed.
    if wiring.kind == "serial":
        from door_terminal.card_reader.serial_port import SerialReader  # noqa: PLC0415 - see above

        return SerialReader(wiring.path, wiring.baud)
    from door_terminal.card_reader.keyboard import KeyboardReader  # noqa: PLC0415 - see above

    return KeyboardReader(wiring.path)
