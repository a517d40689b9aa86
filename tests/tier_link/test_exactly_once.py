"""Two nodes with real databases, and a line between them that fails in every way it can.

The line is simulated, so that a seed decides where it is cut and which of an old
connection's records take effect only when the next one is up; the stores are real.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests.support.databases import postgresql_database
from tier_link.events import (
    Connected,
    DurableRecord,
    Greeted,
    NodeIdentity,
    RecordArrived,
    RecordsAcknowledged,
)
from tier_link.handshake import Side
from tier_link.protocol import LinkCore
from tier_link.store import LinkBase, LinkStore, open_database, reading

ROUNDS = 8
STEPS = 60
LATE_CHANCE = 0.2


@dataclass
class Node:
    """One tier: what survives a crash is in its database, the rest is thrown away."""

    name: str
    url: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    core: LinkCore | None = None
    inbox: deque[bytes] = field(default_factory=deque)
    untaken: list[DurableRecord] = field(default_factory=list)
    late: list[DurableRecord] = field(default_factory=list)
    peer_epoch: int = 0
    written: int = 0

    def __post_init__(self) -> None:
        self.engine: Engine = open_database(self.url)
        LinkBase.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            connection.execute(text("CREATE TABLE effects (body TEXT)"))
        self.store = LinkStore(self.engine, keep_acknowledged=timedelta(days=7))

    def write(self, peer: str) -> None:
        with Session(self.engine) as session, session.begin():
            size = 40_000 if self.written % 7 == 0 else 10
            body = f"{self.name}-{self.written}".ljust(size)
            self.store.put(session, peer, "entry", body.encode())
        self.written += 1

    def connect(self, side: Side, nonce: bytes) -> None:
        self.core = LinkCore(side, NodeIdentity(self.name, self.key), nonce)
        self.inbox.clear()
        self.untaken.clear()

    def take(self, count: int) -> None:
        batch, self.untaken = self.untaken[:count], self.untaken[count:]
        if batch and self.core is not None:
            self.store.take("peer", self.peer_epoch, batch, _effect)
            self.core.acknowledge(batch[-1].sequence)

    def effects(self) -> list[str]:
        with Session(reading(self.engine)) as session:
            return [row.body for row in session.execute(text("SELECT body FROM effects"))]


def _effect(session: Session, _peer: str, _kind: str, body: bytes) -> None:
    session.execute(text("INSERT INTO effects VALUES (:body)"), {"body": body.decode().strip()})


class World:
    """A door, a server, and chance."""

    def __init__(self, door: Node, server: Node, chance: random.Random) -> None:
        self.door, self.server, self.chance = door, server, chance

    def other(self, node: Node) -> Node:
        return self.server if node is self.door else self.door

    def connect(self) -> None:
        self.door.connect("dialer", self.chance.randbytes(32))
        self.server.connect("acceptor", self.chance.randbytes(32))
        assert self.door.core is not None
        self.door.core.dial("server", self.server.key.public_key(), self.door.store.marks("peer"))

    def cut(self) -> None:
        """Break the connection: what is on the line is lost, the rest may be taken late."""
        for node in (self.door, self.server):
            node.core = None
            node.late = node.untaken[: self.chance.randint(0, len(node.untaken))]

    def step(self, node: Node) -> None:
        """Let one node do one thing."""
        if node.core is None:
            self.connect()
            return
        peer = self.other(node)
        if node.late and self.chance.random() < LATE_CHANCE:
            record = node.late.pop(0)
            node.store.take("peer", node.peer_epoch, [record], _effect)
        match self.chance.randrange(5):
            case 0:
                node.take(self.chance.randint(1, 3))
            case 1 if node.core.wants_record:
                pending = node.store.pending("peer", node.core.last_offered, limit=4)
                for record in pending:
                    if node.core.wants_record:
                        node.core.offer(record)
            case 2 | 3:
                frame = node.core.next_frame(0)
                if frame is not None:
                    peer.inbox.append(frame)
            case _:
                if node.inbox:
                    self.receive(node, node.inbox.popleft())

    def receive(self, node: Node, frame: bytes) -> None:
        assert node.core is not None
        match node.core.receive(frame, 0):
            case Greeted():
                node.core.welcome(self.door.key.public_key(), node.store.marks("peer"))
            case Connected(peer_epoch=epoch, resume_after=seen):
                node.peer_epoch = epoch
                node.store.meet("peer", epoch)
                node.store.acknowledge("peer", node.store.epoch, seen)
            case RecordArrived(record=record):
                node.untaken.append(record)
            case RecordsAcknowledged(sequence=sequence):
                node.store.acknowledge("peer", node.store.epoch, sequence)

    def settle(self) -> None:
        """Let the line hold until everything has arrived."""
        self.connect()
        for _ in range(20_000):
            waiting = self.door.store.waiting("peer") + self.server.store.waiting("peer")
            if not waiting:
                return
            for _ in range(100):
                self.step(self.chance.choice([self.door, self.server]))
        raise AssertionError("records never arrived")


@pytest.fixture(params=["sqlite", "postgresql"])
def server_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/server.sqlite"
    else:
        with postgresql_database() as url:
            yield url


@pytest.mark.parametrize("seed", range(2))
def test_a_line_cut_anywhere_loses_doubles_and_reorders_nothing(
    seed: int, server_url: str, tmp_path: Path
) -> None:
    door = Node("door", f"sqlite:///{tmp_path}/door.sqlite")
    server = Node("server", server_url)
    chance = random.Random(seed)
    world = World(door, server, chance)
    for _ in range(ROUNDS):
        for _ in range(STEPS):
            node = chance.choice([door, server])
            if chance.random() < 0.1:
                node.write("peer")
            world.step(node)
        world.cut()
    world.settle()
    assert server.effects() == [f"door-{n}" for n in range(door.written)]
    assert door.effects() == [f"server-{n}" for n in range(server.written)]
    assert door.written > 0
    assert server.written > 0
    door.engine.dispose()
    server.engine.dispose()
