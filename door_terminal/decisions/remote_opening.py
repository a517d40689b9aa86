"""Openings at the word of staff: each answers a nonce that this door has just drawn, once.

So no order that was recorded, held back or forged opens anything: a nonce lapses by this machine's
own clock, ends with the link on which it was asked for, and is gone after a restart.
"""

import secrets
from collections.abc import Callable
from threading import Lock
from typing import Final

from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.errors import OpeningRefused

LAPSE_S: Final = 10.0
"""From drawing a nonce to the decision; time runs on while the machine sleeps."""
MOST_NONCES: Final = 16
"""Nonces that wait: more than a desk has guards, and nobody can make a door remember more."""


class RemoteOpenings:
    """Draws nonces and takes the orders that answer them. Thread-safe."""

    def __init__(self, decider: Decider, clock: Callable[[], float]) -> None:
        """Take the way to the gate, and seconds since boot."""
        self._decider = decider
        self._clock = clock
        self._lock = Lock()
        self._lapses: dict[str, float] = {}

    def nonce(self) -> str:
        """Draw a nonce: 128 bits as hex."""
        nonce = secrets.token_hex(16)
        with self._lock:
            self._lapses[nonce] = self._clock() + LAPSE_S
            while len(self._lapses) > MOST_NONCES:
                del self._lapses[next(iter(self._lapses))]
        return nonce

    def open(self, nonce: str, staff: str) -> Outcome:
        """Use a nonce up and open; its entry bears the same id.

        Raises:
            OpeningRefused: nothing opens; the code says why.
        """
        with self._lock:
            lapses = self._lapses.pop(nonce, None)
        if lapses is None:
            raise OpeningRefused("this door does not wait for that order")
        return self._decider.open_for(staff, nonce, fresh=lambda: self._clock() < lapses)

    def forget(self) -> None:
        """Let go of every nonce: the link on which they were asked for is gone."""
        with self._lock:
            self._lapses.clear()
