"""The lower tier's end: dials, and dials again, for ever."""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from websockets.exceptions import InvalidHandshake, InvalidStatus

from tier_link.channel.connection import Connection
from tier_link.channel.handler import Journal, LinkHandler
from tier_link.channel.live_link import LiveLink
from tier_link.channel.websocket import DialedSocket, check_address
from tier_link.channel.workers import Workers
from tier_link.errors import PeerRefused, SocketClosed, StorageFailed, UnsafeAddress
from tier_link.events import NodeIdentity
from tier_link.handshake import CLOSE_HANDSHAKE_SLOW, CLOSE_MALFORMED, CLOSE_OVERRUN

log = logging.getLogger(__name__)

FIRST_DELAY_S: Final = 0.25
LONGEST_DELAY_S: Final = 10.0
"""Seconds between attempts at most, when the other side is merely away."""
REFUSED_DELAY_S: Final = 30.0
"""Seconds between attempts after a refusal, which takes a person to mend."""
STEADY_S: Final = 20.0
"""Seconds a link must have been up for the next delay to be short again."""

_JITTER: Final = random.SystemRandom()
# Not the module's shared generator: a program's seed is its own.


@dataclass(frozen=True, slots=True)
class DialerState:
    """How a dialer is doing; `why` is a stable code for the last failure, or empty."""

    phase: Literal["connecting", "connected", "refused"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What an attempt came to: a code, and whether it takes a person to mend it."""

    why: str
    refused: bool


class Dialer:
    """Keeps one link to an upper tier, at whichever of its addresses answers.

    The address that answered last is dialed first, then the others, one right after the other;
    only then it waits. Wherever it gets through, the peer's key is proven all the same.

    Args:
        url: `wss://…/link`; `ws://` only to this machine.
        identity: Our node and link key.
        peer: The upper tier's node id, from pairing.
        peer_key: Its link key, from pairing.
        store: This tier's `LinkStore`.
        handler: This tier's own part.
        tls: From `pinned_tls`; None means the system's authorities.
        renew_lost_history: Begin a new epoch by itself when the peer knows records of ours
            that our store has lost, as after a memory card's failure. Only for a tier whose
            store has this one link.
        others: Gives further addresses of the same peer, a standby's; asked before every round.
        workers: Threads to share with other links of this process; its own by default.

    Raises:
        UnsafeAddress: at once, for an address that must not be dialed.
    """

    def __init__(
        self,
        url: str,
        identity: NodeIdentity,
        peer: str,
        peer_key: Ed25519PublicKey,
        store: Journal,
        handler: LinkHandler,
        tls: ssl.SSLContext | None = None,
        *,
        renew_lost_history: bool = False,
        workers: Workers | None = None,
        others: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        check_address(url)
        self._url = self._last = url
        self._others = others
        self._was_up = False
        self._identity = identity
        self._peer = peer
        self._peer_key = peer_key
        self._store = store
        self._handler = handler
        self._tls = tls
        self._renew_lost_history = renew_lost_history
        self._workers = workers or Workers()
        self.state = DialerState("connecting")
        self.link: LiveLink | None = None

    async def run(self) -> None:
        """Dial for ever; ends only by being cancelled."""
        attempts = 0
        while True:
            began = time.monotonic()
            self.state = DialerState("connecting", self.state.why)
            failure = await self._round()
            attempts = 0 if time.monotonic() - began > STEADY_S else attempts + 1
            self.state = DialerState("refused" if failure.refused else "connecting", failure.why)
            log.info("link down peer=%s why=%s", self._peer, failure.why)
            await asyncio.sleep(delay(attempts, failure, _JITTER.random()))

    async def _round(self) -> Failure:
        """Try one address after the other until a link was up; return what is mended soonest."""
        failures = []
        for url in dict.fromkeys((self._last, self._url, *self._others())):
            self._was_up = False
            failures.append(await self._attempt(url))
            if self._was_up:
                self._last = url
                break
        return min(failures, key=lambda failure: failure.refused)

    async def _attempt(self, url: str) -> Failure:
        try:
            await self._once(url)
        except PeerRefused as refusal:
            if refusal.code != "lost-history" or not self._renew_lost_history:
                return classify(refusal)
            await self._workers.durable(self._store.renew_epoch)
            log.warning("began a new epoch: %s knows records that are lost here", self._peer)
        except Exception as error:
            failure = classify(error)
            if failure.why == "internal-error":
                log.exception("link failed peer=%s", self._peer)
            elif failure.why == StorageFailed.code:
                log.warning("link ended peer=%s: %s", self._peer, error)
            return failure
        return Failure("closed", refused=False)

    async def _once(self, url: str) -> None:
        async with DialedSocket(url, self._tls) as socket:
            connection = Connection(
                "dialer", self._identity, socket, self._store, self._handler, self._workers
            )
            try:
                link = await connection.dial(self._peer, self._peer_key)
                self.link, self._was_up = link, True
                self.state = DialerState("connected")
                log.info("link up peer=%s url=%s", self._peer, url)
                await connection.run(link)
            except PeerRefused as refusal:
                await socket.close(refusal.close_code, refusal.code)
                raise
            finally:
                self.link = None


def classify(error: Exception) -> Failure:
    """Sort what ended an attempt: may waiting mend it, or does it take a person?"""
    why, refused = "internal-error", True
    match error:
        case PeerRefused():
            why = error.code
        case UnsafeAddress():
            why = error.code
        case StorageFailed():
            why, refused = error.code, False
        case SocketClosed(close_code=code) if CLOSE_MALFORMED <= code <= CLOSE_OVERRUN:
            why, refused = error.reason or f"closed-{code}", code != CLOSE_HANDSHAKE_SLOW
        case SocketClosed():
            why, refused = "closed", False
        case ssl.SSLCertVerificationError():
            why = "tls-refused"
        case InvalidStatus():
            why, refused = f"http-{error.response.status_code}", False
        case InvalidHandshake():
            why, refused = "not-a-link", False
        case OSError() | TimeoutError():
            why, refused = "unreachable", False
    return Failure(why, refused)


def delay(attempt: int, failure: Failure, chance: float) -> float:
    """Return the seconds to wait before the next attempt.

    Doubles from `FIRST_DELAY_S` with each attempt, capped; a refusal waits longest. `chance`
    (0 to 1) takes off up to half, so that a thousand doors do not come back at once.
    """
    longest = REFUSED_DELAY_S if failure.refused else LONGEST_DELAY_S
    patient = longest if failure.refused else min(longest, FIRST_DELAY_S * 2 ** min(attempt, 16))
    return patient * (1 - chance / 2)
