"""Slowing down who guesses: each failure doubles the wait, by name and by address."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from community_server.errors import TooManyAttempts

FREE_ATTEMPTS: Final = 4
"""Slips of the finger that cost nothing."""
FIRST_WAIT: Final = 2.0
LONGEST_WAIT: Final = 900.0
"""Seconds: longer would let a stranger lock the desk out."""
MOST_KEYS: Final = 10_000
"""Names and addresses remembered; the oldest are forgotten first."""


class Backoff:
    """Counts failures by key; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, *keys: str) -> None:
        """Let an attempt pass, or not yet.

        Raises:
            TooManyAttempts: with the seconds to wait.
        """
        with self._lock:
            wait = max((self._failures.get(key, (0, 0.0))[1] for key in keys), default=0.0)
        if wait > self._clock():
            raise TooManyAttempts(wait - self._clock())

    def fail(self, *keys: str) -> None:
        """Note a failed attempt."""
        with self._lock:
            for key in keys:
                count = self._failures.pop(key, (0, 0.0))[0] + 1
                beyond = count - FREE_ATTEMPTS
                wait = (
                    min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(beyond - 1, 20)) if beyond > 0 else 0.0
                )
                self._failures[key] = (count, self._clock() + wait)
            while len(self._failures) > MOST_KEYS:
                self._failures.popitem(last=False)

    def succeed(self, *keys: str) -> None:
        """Forget the failures."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)
