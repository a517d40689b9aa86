"""Limits of requests and bodies, each with its reason, and the buckets that keep the rates.

Rates per address are kept in this process's memory, not in the database: an address is
personal data, so it must not reach a disk, and these limits only blunt floods; with N
replicas they are at worst N times as loose. Addresses are keyed by a hash under a key that
the process draws at start, and forgotten once their bucket is full again. What must be exact
across replicas, the uploads of one invitation, is counted from the database's own rows.
"""

import asyncio
import hmac
import ipaddress
import secrets
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from tier_kit.forms.errors import Busy, TooLarge, TooMany, TooSlow

REPLY_LIFETIME: Final = timedelta(days=7)
"""A person may look again within a week; after that the estate tells them itself."""

MAX_ENVELOPES_PER_INVITATION_AND_DAY: Final = 10
"""A person retakes a photo a few times; more is a leaked link being played with."""

MAX_ENVELOPES_PER_HOME_AND_DAY: Final = 300
"""A resident's page sends one when it is opened and one for each thing done there; a household that
has a party stays far below."""

MAX_ENVELOPES_PER_POSTER_AND_HOUR: Final = 40
"""A gate at its busiest, with room for what the estate itself refuses beyond thirty."""

MAX_VISIT_BYTES: Final = 17 * 1024
"""What comes by a page's or a poster's link is text alone: two of the sizes that envelopes have."""


BODY_SECONDS: Final = 300.0
"""4 MiB over a 128 kbit/s uplink take four and a half minutes."""

BODY_SILENCE_SECONDS: Final = 20.0
"""A phone in a lift comes back within seconds; a longer silence holds memory for nothing."""

MAX_TRACKED_ADDRESSES: Final = 100_000
"""Some 20 MB; a flood from more addresses pushes out the oldest instead of growing."""

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_IPV6_CUSTOMER_BITS: Final = 64
"""A provider gives a customer at least a /64, so all of it counts as one address."""


@dataclass(frozen=True)
class Share:
    """How many envelopes one link may bring within so many seconds."""

    envelopes: int
    seconds: int


def share_of(kind: str) -> Share:
    """Return the share of a link of this kind, as `tier_link.invitations` names them."""
    if kind == "home":
        return Share(MAX_ENVELOPES_PER_HOME_AND_DAY, _DAY)
    if kind == "poster":
        return Share(MAX_ENVELOPES_PER_POSTER_AND_HOUR, _HOUR)
    return Share(MAX_ENVELOPES_PER_INVITATION_AND_DAY, _DAY)


@dataclass
class RateLimit:
    """A token bucket per address: `per_minute` requests, in a burst or spread out.

    Safe to use from any thread.
    """

    per_minute: int
    _levels: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def spend(self, address: str, now: float) -> None:
        """Take one token of `address`.

        Args:
            address: IPv4, IPv6 or empty when unknown (a Unix socket).
            now: monotonic seconds.

        Raises:
            TooMany: the bucket is empty (`rate-limited`), with the seconds until it is not.
        """
        name = hmac.digest(self._key, _customer(address).encode(), "sha256")[:16]
        with self._lock:
            self._take(name, now)

    def _take(self, name: bytes, now: float) -> None:
        rate = self.per_minute / 60
        self._forget_full(now)
        tokens, at = self._levels.pop(name, (float(self.per_minute), now))
        tokens = min(float(self.per_minute), tokens + (now - at) * rate)
        if tokens < 1:
            self._levels[name] = (tokens, now)
            raise TooMany("rate-limited", retry_after=max(1, round((1 - tokens) / rate)))
        self._levels[name] = (tokens - 1, now)
        if len(self._levels) > MAX_TRACKED_ADDRESSES:
            self._levels.popitem(last=False)

    def _forget_full(self, now: float) -> None:
        """Drop the oldest entries whose minute is over: their buckets are full by now."""
        while self._levels:
            name, (_, at) = next(iter(self._levels.items()))
            if now - at < 60:  # noqa: PLR2004  # the bucket's own minute
                return
            del self._levels[name]

    def __len__(self) -> int:
        return len(self._levels)


def _customer(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_CUSTOMER_BITS), strict=False))
    return str(parsed)


@dataclass
class BodyBudget:
    """Bytes of request bodies that this process holds at one time."""

    limit: int
    in_flight: int = 0

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Reserve `size` bytes for as long as the body is held.

        Raises:
            Busy: no room right now (`cloud-busy`).
        """
        if self.in_flight + size > self.limit:
            raise Busy("cloud-busy", retry_after=5)
        self.in_flight += size
        try:
            yield
        finally:
            self.in_flight -= size


async def paced(
    chunks: AsyncIterator[bytes],
    limit: int,
    *,
    seconds: float = BODY_SECONDS,
    silence: float = BODY_SILENCE_SECONDS,
) -> AsyncIterator[bytes]:
    """Pass on a body's chunks, counting and timing them.

    Args:
        chunks: the body as it arrives.
        limit: most bytes in all.
        seconds: most seconds in all.
        silence: most seconds without a byte.

    Raises:
        TooLarge: more than `limit` bytes (`body-too-large`); the rest is not read.
        TooSlow: too long in all, or silent for too long (`body-too-slow`).
    """
    taken = 0
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(min(end, loop.time() + silence)):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise TooSlow("body-too-slow") from None
        if chunk is None:
            return
        taken += len(chunk)
        if taken > limit:
            raise TooLarge("body-too-large")
        yield chunk
