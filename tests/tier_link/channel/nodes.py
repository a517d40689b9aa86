"""Whole nodes for tests of the channel: a server and doors with real files and real sockets."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from websockets.asyncio.server import ServerConnection, serve

from tests.support.link_nodes import AcceptedSocket, IdleHandler
from tier_link.channel import Dialer, LinkHub, LiveLink, MessageSocket, NodeIdentity
from tier_link.errors import RecordRefused, RequestRefused
from tier_link.store import LinkBase, LinkStore, open_database, reading

DEADLINE_S = 30.0
SERVER = "sunny-court-4f2a"


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something to become true; fail when it never does."""
    end = time.monotonic() + DEADLINE_S
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)


class Effects(IdleHandler):
    """A tier's handler: its effects are rows, written in the transaction it is given."""

    def __init__(self) -> None:
        self.latest: list[tuple[str, str, bytes]] = []
        self.acknowledgements: list[int] = []
        self.links: dict[str, LiveLink] = {}
        self.downs = 0
        self.outdated_by: list[str] = []
        self.answers: Callable[[str, bytes], bytes] = lambda _kind, body: body[::-1]
        self.before_apply: Callable[[bytes], None] = lambda _body: None

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Need no time."""

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        self.before_apply(body)
        if kind == "nonsense":
            raise RecordRefused("nonsense")
        session.execute(
            text("INSERT INTO effects (peer, body) VALUES (:peer, :body)"),
            {"peer": peer, "body": body},
        )

    def answer(self, _peer: str, kind: str, body: bytes, _deadline: float) -> bytes:
        if kind == "refuse":
            raise RequestRefused("no", code="not-today")
        return self.answers(kind, body)

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        self.latest.append((peer, kind, body))

    def acknowledged(self, _session: Session, _peer: str, sequences: Sequence[int]) -> None:
        self.acknowledgements += sequences

    def link_up(self, peer: str, link: LiveLink) -> None:
        self.links[peer] = link

    def link_down(self, peer: str) -> None:
        self.links.pop(peer, None)
        self.downs += 1

    def outdated(self, peer: str) -> None:
        self.outdated_by.append(peer)


class Node:
    """One tier: key, database, store, handler."""

    def __init__(self, name: str, url: str) -> None:
        self.identity = NodeIdentity(name, Ed25519PrivateKey.generate())
        self.engine: Engine = open_database(url)
        LinkBase.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            blob = "BYTEA" if self.engine.dialect.name == "postgresql" else "BLOB"
            connection.execute(text(f"CREATE TABLE IF NOT EXISTS effects (peer TEXT, body {blob})"))
        self.store = LinkStore(self.engine, keep_acknowledged=timedelta(days=7))
        self.handler = Effects()

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self.identity.private_key.public_key()

    def put(self, peer: str, *bodies: bytes, kind: str = "entry") -> None:
        with Session(self.engine) as session, session.begin():
            for body in bodies:
                self.store.put(session, peer, kind, body)

    def effects(self) -> list[bytes]:
        with Session(reading(self.engine)) as session:
            return [bytes(row.body) for row in session.execute(text("SELECT body FROM effects"))]


class Server(Node):
    """The upper tier, with a hub that a real WebSocket server feeds."""

    def __init__(self, url: str) -> None:
        super().__init__(SERVER, url)
        self.paired: dict[str, Ed25519PublicKey] = {}
        self.hub = LinkHub(self.identity, self.store, self.handler, self.paired.get)
        self.wrap: Callable[[MessageSocket], MessageSocket] = lambda socket: socket

    @asynccontextmanager
    async def listening(
        self,
        tls: ssl.SSLContext | None = None,
        accept: Callable[[MessageSocket], Awaitable[None]] | None = None,
    ) -> AsyncIterator[str]:
        async def on_connection(connection: ServerConnection) -> None:
            await (accept or self.hub.accept)(self.wrap(AcceptedSocket(connection)))

        async with serve(on_connection, "127.0.0.1", 0, ssl=tls, compression=None) as listener:
            port = next(iter(listener.sockets)).getsockname()[1]
            yield f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/link"

    def dialer(self, door: Node, url: str, **options: Any) -> Dialer:
        return Dialer(
            url, door.identity, SERVER, self.public_key, door.store, door.handler, **options
        )


@asynccontextmanager
async def running(dialer: Dialer) -> AsyncIterator[Dialer]:
    task = asyncio.create_task(dialer.run())
    try:
        yield dialer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
