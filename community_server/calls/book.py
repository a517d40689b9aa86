"""The calls that ring now, each with its newest picture: in memory alone, gone with the call."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tier_link.estate_messages import CallRinging

STALE_S: Final = 6.0
"""A door tells of its call more than once a second: one that has not for so long rings no more."""


@dataclass(frozen=True)
class Ringing:
    """One call. `since` is monotonic seconds; `picture` counts the stills, 0 for none yet."""

    call: str
    door: str
    since: float
    heard: float
    picture: int = 0
    still: bytes = field(default=b"", repr=False)


class CallBook:
    """Remembers who rings; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: dict[str, Ringing] = {}

    def take(self, door: str, news: CallRinging) -> None:
        """Take a door's word for who rings there."""
        now = self._clock()
        with self._lock:
            before = self._calls.pop(door, None)
            if not news.call:
                return
            known = before if before is not None and before.call == news.call else None
            picture, still = (known.picture, known.still) if known else (0, b"")
            if news.still and news.still != still:
                picture, still = picture + 1, news.still
            since = known.since if known else now - news.rung_ms / 1000
            self._calls[door] = Ringing(news.call, door, since, now, picture, still)

    def forget(self, door: str) -> None:
        """Forget a door's call: its link is gone."""
        with self._lock:
            self._calls.pop(door, None)

    def ringing(self) -> list[Ringing]:
        """Return the calls that ring, the longest first."""
        with self._lock:
            self._calls = {door: one for door, one in self._calls.items() if self._fresh(one)}
            return sorted(self._calls.values(), key=lambda one: one.since)

    def find(self, call: str) -> Ringing | None:
        """Return a call that rings."""
        return next((one for one in self.ringing() if one.call == call), None)

    def rung_s(self, ringing: Ringing) -> int:
        """Return for how many seconds a call has been ringing."""
        return max(0, int(self._clock() - ringing.since))

    def _fresh(self, one: Ringing) -> bool:
        return self._clock() - one.heard < STALE_S
