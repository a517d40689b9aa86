"""A card reader on a serial line, real or by USB."""

import select
from typing import Final

import serial

from door_terminal.card_reader.sources import JUNK, TERMINATOR

_MOST: Final = 256
"""Bytes taken at once: many numbers."""
_ENDS: Final = {0x0D: TERMINATOR, 0x0A: TERMINATOR, 0x03: TERMINATOR}
_SAYS_NOTHING: Final = {0x00: "", 0x02: ""}
_PRINTABLE: Final = range(0x20, 0x7F)


class SerialReader:
    """Reads what arrives; eight bits, no parity, one stop bit, as readers come."""

    def __init__(self, path: str, baud: int) -> None:
        """Open the line for us alone.

        Raises:
            OSError: it is not there, or another program has it.
        """
        self._port = serial.Serial(path, baud, timeout=0, exclusive=True)

    def read(self, timeout_s: float) -> str:
        """Return what has arrived; see `sources.Source`."""
        ready, _, _ = select.select([self._port.fileno()], [], [], timeout_s)
        return "".join(map(_character, self._port.read(_MOST) if ready else b""))

    def close(self) -> None:
        """Let the line go."""
        self._port.close()


def _character(byte: int) -> str:
    if byte in _PRINTABLE:
        return chr(byte)
    return (_ENDS | _SAYS_NOTHING).get(byte, JUNK)
