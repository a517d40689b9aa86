"""A bound on the work of hashing passwords: argon2id takes 64 MiB and most of a second by design.

Anybody on the estate's network may ask for it, by a sign-in. So few hashes are made at one time,
few more wait, and whoever comes then is asked to come again: threads and memory stay for everybody
else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from community_server.errors import TooManyAttempts

AT_ONCE: Final = 2
"""Each keeps up to four cores and 64 MiB busy."""
MOST_IN_LINE: Final = 8
"""Waiting ones, each in a thread of the forty that serve all pages: some three seconds' work."""
COME_AGAIN_S: Final = 3.0


@dataclass
class HashingLine:
    """Lets few hashes be made at one time; safe to use from any thread."""

    at_once: int = AT_ONCE
    most_in_line: int = MOST_IN_LINE
    _turn: threading.Semaphore = field(init=False, repr=False)
    _here: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._turn = threading.Semaphore(self.at_once)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn.

        Raises:
            TooManyAttempts: too many wait already.
        """
        with self._lock:
            if self._here >= self.at_once + self.most_in_line:
                raise TooManyAttempts(COME_AGAIN_S)
            self._here += 1
        try:
            with self._turn:
                yield
        finally:
            with self._lock:
                self._here -= 1
