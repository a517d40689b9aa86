"""Card readers that tests plug in: a line by a pseudo-terminal, keys as Linux writes them."""

import os
import pty
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from door_terminal.card_reader.keyboard import EV_KEY, EV_SYN, EVENT, PRESSED, RELEASED

AUTOREPEAT: Final = 2
ENTER: Final = 28
CODES: Final = {
    **{character: code for code, character in enumerate("1234567890", start=2)},
    "A": 30,
    "B": 48,
    "C": 46,
    "D": 32,
    "E": 18,
    "F": 33,
    "X": 45,
    ",": 51,
    "\n": ENTER,
}


@dataclass
class SerialCards:
    """The far end of a serial line that ends at `path`."""

    path: Path
    descriptor: int

    def write(self, text: str | bytes) -> None:
        os.write(self.descriptor, text.encode() if isinstance(text, str) else text)


@contextmanager
def plugged_in(path: Path) -> Iterator[SerialCards]:
    """Plug a serial reader in at a path; it is pulled out in the end."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    path.symlink_to(os.ttyname(theirs))
    os.close(theirs)
    try:
        yield SerialCards(path, ours)
    finally:
        path.unlink()
        os.close(ours)


def event(kind: int, code: int, value: int) -> bytes:
    """Return one `input_event`."""
    return EVENT.pack(1_795_000_000, 250_000, kind, code, value)


def typed(text: str) -> bytes:
    """Return the events of a keyboard that types a text, with autorepeat on every key."""
    presses = (
        event(EV_KEY, CODES[character], value) + event(EV_SYN, 0, 0)
        for character in text
        for value in (PRESSED, AUTOREPEAT, RELEASED)
    )
    return b"".join(presses)
