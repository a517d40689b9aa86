"""A card reader that types, read below the screen: what it types reaches no page.

Linux gives each keyboard's keys as `input_event` records. The reader is taken for us alone
(EVIOCGRAB); without that its digits would end up in the unit's pad.
"""

import fcntl
import os
import select
import struct
from collections.abc import Callable
from typing import Final

from door_terminal.card_reader.sources import JUNK, TERMINATOR

EVENT: Final = struct.Struct("@llHHi")
"""Two longs of time, type, code, value: `struct input_event` as this machine's kernel writes it."""
EV_SYN, EV_KEY = 0, 1
SYN_DROPPED: Final = 3
RELEASED, PRESSED = 0, 1
EVIOCGRAB: Final = 0x4004_4590
_MOST: Final = 64  # events taken at once
_ROWS: Final = {
    2: "1234567890",
    30: "A",
    48: "B",
    46: "C",
    32: "D",
    18: "E",
    33: "F",
    45: "X",
    71: "789-456",
    79: "1230",
    51: ",",
    53: "/",
    12: "-",
    57: " ",
    39: ":",
}
_KEYS: Final = {
    first + step: character for first, row in _ROWS.items() for step, character in enumerate(row)
}
_ENDS: Final = frozenset({28, 96, 15})  # enter, enter of the number pad, tab
_SILENT: Final = frozenset({42, 54, 29, 97, 56, 100, 58, 69})  # shift, control, alt and the locks


def grab(descriptor: int) -> None:
    """Take an input device for us alone.

    Raises:
        OSError: it is none, or another program has it.
    """
    fcntl.ioctl(descriptor, EVIOCGRAB, 1)


class KeyboardReader:
    """Turns the presses of one keyboard into characters."""

    def __init__(self, path: str, take: Callable[[int], None] = grab) -> None:
        """Open the keyboard and `take` it for us alone.

        Raises:
            OSError: it is not there, no input device, or another program has it.
        """
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._rest = b""
        try:
            take(self._descriptor)
        except OSError:
            self.close()
            raise

    def read(self, timeout_s: float) -> str:
        """Return what was typed; see `sources.Source`."""
        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        if not ready:
            return ""
        try:
            data = os.read(self._descriptor, _MOST * EVENT.size)
        except BlockingIOError:
            return ""
        if not data:
            raise OSError("the keyboard is gone")
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        events = EVENT.iter_unpack(data[:whole])
        return "".join(_character(kind, code, value) for _, _, kind, code, value in events)

    def close(self) -> None:
        """Let the keyboard go, and with it the grab."""
        os.close(self._descriptor)


def _character(kind: int, code: int, value: int) -> str:
    if kind == EV_SYN and code == SYN_DROPPED:
        return JUNK  # keys are missing: what they belong to is no number
    if kind != EV_KEY or value != PRESSED or code in _SILENT:
        return ""
    return TERMINATOR if code in _ENDS else _KEYS.get(code, JUNK)
