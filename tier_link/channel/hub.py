"""The upper tier's end: every link that lower tiers have dialed."""

import logging
from dataclasses import dataclass
from typing import Final

from tier_link.channel.connection import OUTBOX_POLL_S, Connection, PeerKeys
from tier_link.channel.handler import Journal, LinkHandler, MessageSocket
from tier_link.channel.live_link import LiveLink
from tier_link.channel.workers import DURABLE_THREADS, Workers
from tier_link.errors import PeerRefused, SocketClosed, StorageFailed
from tier_link.events import NodeIdentity
from tier_link.handshake import CLOSE_REPLACED, CLOSE_UNKNOWN_PEER, refuse

log = logging.getLogger(__name__)

CLOSE_INTERNAL: Final = 1011


@dataclass(frozen=True)
class Pace:
    """How a hub's links share its machine.

    Attributes:
        durable_threads: for records and acknowledgements of all links.
        outbox_poll_s: seconds between a link's looks into the outbox when nobody wakes it.
    """

    durable_threads: int = DURABLE_THREADS
    outbox_poll_s: float = OUTBOX_POLL_S


class LinkHub:
    """Accepts links and knows which are up.

    Args:
        identity: Our node and link key.
        store: The tier's `LinkStore`.
        handler: The tier's own part.
        peer_keys: Called in a worker thread at every connect: the link key paired with this
            peer id, or None for an unknown or revoked one.
        pace: For other than a few hundred links over one writer.
    """

    def __init__(
        self,
        identity: NodeIdentity,
        store: Journal,
        handler: LinkHandler,
        peer_keys: PeerKeys,
        pace: Pace = Pace(),
    ) -> None:
        self._identity = identity
        self._store = store
        self._handler = handler
        self._peer_keys = peer_keys
        self._pace = pace
        self._workers = Workers(pace.durable_threads)
        self._up: dict[str, tuple[Connection, LiveLink]] = {}
        self._shaking = 0

    async def accept(self, socket: MessageSocket) -> None:
        """Carry one accepted WebSocket until it ends; closes it. Cancelling closes it too."""
        try:
            await self._carry(socket)
        except SocketClosed as closed:
            log.info("link closed by peer code=%d", closed.close_code)
        except PeerRefused as refusal:
            log.warning("link closed code=%s: %s", refusal.code, refusal)
            await socket.close(refusal.close_code, refusal.code)
        except StorageFailed as failure:
            log.warning("link closed code=%s: %s", failure.code, failure)
            await socket.close(CLOSE_INTERNAL, failure.code)
        except Exception:
            log.exception("link failed")
            await socket.close(CLOSE_INTERNAL, "internal-error")

    async def _carry(self, socket: MessageSocket) -> None:
        connection = Connection(
            "acceptor",
            self._identity,
            socket,
            self._store,
            self._handler,
            self._workers,
            self._pace.outbox_poll_s,
        )
        self._shaking += 1
        try:
            link = await connection.accept(self._peer_keys)
        finally:
            self._shaking -= 1
        peer = link.peer
        while (older := self._up.get(peer)) is not None:
            # The peer knows best that its old connection is dead; we may not have noticed yet.
            older[0].close(CLOSE_REPLACED, "replaced")
            await older[0].finished.wait()
        self._up[peer] = (connection, link)
        try:
            # Revoked while shaking hands? `drop` finds us from here on, so look once more.
            if await self._workers.prompt(self._peer_keys, peer) is None:
                raise refuse("revoked", "unknown-peer", CLOSE_UNKNOWN_PEER)
            log.info("link up peer=%s", peer)
            await connection.run(link)
        finally:
            del self._up[peer]
            connection.finished.set()
            log.info("link down peer=%s", peer)

    @property
    def handshakes(self) -> int:
        """How many are under way: a tier with many peers accepts no more than it can do."""
        return self._shaking

    def link(self, peer: str) -> LiveLink | None:
        """Return the link to `peer` if it is up. From any thread."""
        up = self._up.get(peer)
        return up[1] if up is not None else None

    def peers(self) -> list[str]:
        """Return the peers whose links are up. From any thread."""
        return sorted(list(self._up))  # noqa: C414 -- one atomic copy, then sorted at leisure

    def drop(self, peer: str) -> None:
        """Close the link of a peer that has been revoked. From any thread.

        First make `peer_keys` say None, or it comes straight back.
        """
        link = self.link(peer)
        if link is not None:
            link.close(CLOSE_UNKNOWN_PEER, "unknown-peer")
