"""How fast a program may ask: a bucket of requests per token, refilled steadily."""

import threading
import time
from collections.abc import Callable
from typing import Final

from community_server.errors import TooManyRequests

BURST: Final = 60
"""Requests in one go ..."""
PER_SECOND: Final = 4.0
"""... and then so many a second, for as long as one likes."""


class RequestRate:
    """Counts requests by token; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, token: str) -> None:
        """Count one request.

        Raises:
            TooManyRequests: with the seconds after which there is room for one.
        """
        moment = self._clock()
        with self._lock:
            left, since = self._buckets.get(token, (float(BURST), moment))
            left = min(float(BURST), left + (moment - since) * PER_SECOND)
            if left >= 1:
                left -= 1
                self._buckets[token] = (left, moment)
                return
        raise TooManyRequests((1 - left) / PER_SECOND)
