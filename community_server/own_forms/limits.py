"""How much strangers on the estate's network may ask of this server, each limit with its reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tier_kit.forms.errors import Busy
from tier_kit.forms.limits import BodyBudget, RateLimit

READS_PER_MINUTE: Final = 600
"""Requests without a body from one address: a waiting page asks every few seconds, and the desk's
own computer may serve several people in a row."""

UPLOADS_PER_MINUTE: Final = 30
"""Uploads from one address: on the estate's network each phone has its own."""

MAX_BYTES_IN_FLIGHT: Final = 64 << 20
"""Seven of the largest bodies at once; doors and console go on beside them."""

MAX_IN_LINE: Final = 8
"""Envelopes that wait until photos can be looked at, up to a second each on a small machine.
Whoever comes then is asked to try again, which the page does by itself."""

_RETRY_SECONDS: Final = 5


@dataclass
class OneAtATime:
    """Lets one envelope in at a time, in the order of their coming: each takes a core."""

    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _in_line: int = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn.

        Raises:
            Busy: the line is too long (`cloud-busy`).
        """
        if self._in_line >= MAX_IN_LINE:
            raise Busy("cloud-busy", retry_after=_RETRY_SECONDS)
        self._in_line += 1
        try:
            async with self._turn:
                yield
        finally:
            self._in_line -= 1


@dataclass(frozen=True)
class FormLimits:
    """What one process keeps count of; addresses are in memory alone, under a keyed hash."""

    reads: RateLimit = field(default_factory=lambda: RateLimit(READS_PER_MINUTE))
    uploads: RateLimit = field(default_factory=lambda: RateLimit(UPLOADS_PER_MINUTE))
    bodies: BodyBudget = field(default_factory=lambda: BodyBudget(MAX_BYTES_IN_FLIGHT))
    line: OneAtATime = field(default_factory=OneAtATime)
