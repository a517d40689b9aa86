"""Pairing over a WebSocket: the drivers of `tier_link.pairing`."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tier_link.channel.handler import MessageSocket
from tier_link.channel.websocket import DialedSocket
from tier_link.errors import PairingRefused, SocketClosed
from tier_link.events import NodeIdentity
from tier_link.pairing import (
    Paired,
    PairingAcceptor,
    PairingConfiguration,
    PairingDialer,
    PairingRole,
    PairStart,
)

log = logging.getLogger(__name__)

PAIRING_TIMEOUT_S: Final = 15.0
"""Seconds for the whole exchange."""
CLOSE_PAIRING_REFUSED: Final = 4403
CLOSE_DONE: Final = 1000
CLOSE_INTERNAL: Final = 1011


class NamedCode(Protocol):
    """An open code that an attempt has named; `tier_link.store`'s `OpenCode` is one."""

    @property
    def subject(self) -> str:
        """What it was issued for."""
        ...

    @property
    def key(self) -> bytes:
        """The key of the MACs."""
        ...


C_co = TypeVar("C_co", bound=NamedCode, covariant=True)
C = TypeVar("C", bound=NamedCode)


class Codes(Protocol[C_co]):
    """Where open codes are kept; `tier_link.store.PairingCodes` is one."""

    def attempt(self, locator: bytes, role: PairingRole) -> C_co:
        """Spend one try; raise `PairingRefused` when the code is not open."""
        ...


async def accept_pairing(
    socket: MessageSocket,
    identity: NodeIdentity,
    codes: Codes[C],
    configure: Callable[[C, PairStart], PairingConfiguration],
    complete: Callable[[C, PairStart], None],
) -> None:
    """Carry one attempt at pairing on an accepted WebSocket; closes it.

    Both callbacks run in a worker thread. `configure` says what the dialer is told;
    `complete` stores `start.public_key` and spends the code in one transaction, after the
    dialer has proven that it knows the code. A refusal's code reaches the dialer as the
    close reason.
    """
    acceptor = PairingAcceptor(identity)
    try:
        async with asyncio.timeout(PAIRING_TIMEOUT_S):
            start = acceptor.read_start(await socket.recv())
            code = await asyncio.to_thread(codes.attempt, start.locator, start.role)
            configuration = await asyncio.to_thread(configure, code, start)
            await socket.send(acceptor.answer(code.key, configuration))
            acceptor.read_confirm(await socket.recv())
            await asyncio.to_thread(complete, code, start)
            await socket.send(acceptor.done())
    except PairingRefused as refusal:
        log.warning("pairing refused code=%s", refusal.code)
        await socket.close(CLOSE_PAIRING_REFUSED, refusal.code)
    except (SocketClosed, TimeoutError):
        log.warning("pairing broken off")
        await socket.close(CLOSE_PAIRING_REFUSED, "pairing-out-of-order")
    except Exception:
        log.exception("pairing failed")
        await socket.close(CLOSE_INTERNAL, "internal-error")
    else:
        log.info("paired role=%s subject=%s", start.role, code.subject)
        await socket.close(CLOSE_DONE, "")


async def dial_pairing(
    url: str,
    code: str,
    *,
    role: PairingRole,
    private_key: Ed25519PrivateKey,
    name: str,
    tls: ssl.SSLContext | None = None,
) -> Paired:
    """Pair with the upper tier at `url` (`wss://…/pair`).

    `private_key` is the link key made here; `tls` is `pairing_tls()` for a server of the
    estate, None for a cloud at a public address.

    Raises:
        PairingRefused: with the code that says why.
        UnsafeAddress: `ws://` to another machine.
        OSError, TimeoutError, websockets' `InvalidHandshake`: nobody answers there.
    """
    dialer = PairingDialer(code, role=role, public_key=private_key.public_key(), name=name)
    try:
        async with asyncio.timeout(PAIRING_TIMEOUT_S), DialedSocket(url, tls) as socket:
            await socket.send(dialer.start())
            try:
                await socket.send(dialer.confirm(await socket.recv()))
            except PairingRefused as refusal:
                await socket.close(CLOSE_PAIRING_REFUSED, refusal.code)
                raise
            return dialer.finish(await socket.recv())
    except SocketClosed as closed:
        known = closed.reason.startswith("pairing-")
        raise PairingRefused(
            "the other side refused the pairing",
            code=closed.reason if known else "pairing-out-of-order",
        ) from closed
