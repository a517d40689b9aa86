"""Doors by the hundred that cost little: the real link over TLS, and nothing behind it.

Each speaks `tier_link`'s own protocol, keeps its log in memory, takes in its roster's changes,
proves that it is in step as often as a real door does, and sends what it is given. All of them
share one event loop and one set of threads; doors of one shape share one roster.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.support.link_nodes import IdleHandler, OwnLoop
from tier_link.channel import Dialer, LiveLink, NodeIdentity, pinned_tls
from tier_link.channel.workers import Workers
from tier_link.estate_messages import (
    ESTATE,
    DoorConfigured,
    DoorPresence,
    EstateMessage,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
)
from tier_link.events import DurableRecord, Marks

PRESENCE_S: Final = 5.0
"""As a real door."""
_EPOCH: Final = 1


class MemoryJournal:
    """A `tier_link.channel.handler.Journal` for one peer, gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[tuple[DurableRecord, float]] = []
        self._next = 1
        self._seen = (0, 0)
        self.taken: list[float] = []
        """Seconds from `put` to the acknowledgement, record by record."""

    @property
    def waiting(self) -> int:
        """Records that the peer has not acknowledged."""
        return len(self._records)

    def put(self, kind: str, body: bytes) -> None:
        """Append a record."""
        with self._lock:
            self._records.append((DurableRecord(self._next, kind, body), time.monotonic()))
            self._next += 1

    def marks(self, peer: str) -> Marks:
        """See `Journal`."""
        del peer
        return Marks(_EPOCH, self._next, *self._seen)

    def meet(self, peer: str, epoch: int) -> None:
        """See `Journal`."""
        del peer
        if epoch > self._seen[0]:
            self._seen = (epoch, 0)

    def pending(
        self, peer: str, after: int, *, limit: int, max_bytes: int
    ) -> Sequence[DurableRecord]:
        """See `Journal`; records here are small."""
        del peer, max_bytes
        with self._lock:
            return [one for one, _ in self._records if one.sequence > after][:limit]

    def take(
        self,
        peer: str,
        epoch: int,
        records: Sequence[DurableRecord],
        apply: Callable[[Any, str, str, bytes], None],
    ) -> None:
        """See `Journal`."""
        for record in records:
            if (epoch, record.sequence) > self._seen:
                apply(None, peer, record.kind, record.body)
                self._seen = (epoch, record.sequence)

    def acknowledge(
        self, peer: str, epoch: int, sequence: int, hook: Callable[..., None] | None
    ) -> None:
        """See `Journal`."""
        del peer, epoch, hook
        now = time.monotonic()
        with self._lock:
            done = [at for one, at in self._records if one.sequence <= sequence]
            self.taken += [now - at for at in done]
            del self._records[: len(done)]

    def renew_epoch(self) -> int:
        """See `Journal`."""
        return _EPOCH


class Shape:
    """One roster that several doors hold alike: its hash after each of its changes."""

    def __init__(self, people: Iterable[RosterPerson]) -> None:
        self._rows = {one.person: _digest(one) for one in people}
        self._lock = threading.Lock()
        self.hashes = [self._hash()]

    def follow(self, number: int, delta: RosterDelta) -> None:
        """Take in the shape's change `number`, which every door of it is told."""
        with self._lock:
            if number == len(self.hashes):
                for one in delta.removed:
                    self._rows.pop(one, None)
                self._rows |= {one.person: _digest(one) for one in delta.upserts}
                self.hashes.append(self._hash())

    def _hash(self) -> bytes:
        return hashlib.sha256(b"".join(sorted(self._rows.values()))).digest()


def _digest(person: RosterPerson) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(person)).digest()


@dataclass
class SimulatedDoor(IdleHandler):
    """One door that was paired before and holds its roster.

    Attributes:
        door: its id.
        shape: what it holds, which other doors hold alike.
        version: of its roster.
    """

    door: str
    shape: Shape
    version: int
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    configuration: DoorConfigured | None = None
    changed_at: float = 0.0
    """When the last change of the roster was taken in (monotonic)."""
    surprises: int = 0
    """What came that a door in step is not sent."""
    dialer: Dialer | None = None
    _first: int = field(init=False)

    def __post_init__(self) -> None:
        self._first = self.version

    @property
    def link(self) -> LiveLink | None:
        """The link, while it is up."""
        return self.dialer.link if self.dialer else None

    def apply(self, session: Any, peer: str, kind: str, body: bytes) -> None:
        """Follow the roster."""
        del session, peer
        match ESTATE.decode(kind, body):
            case RosterDelta() as delta if delta.version == self.version + 1:
                self.shape.follow(delta.version - self._first, delta)
                self.version, self.changed_at = delta.version, time.monotonic()
            case DoorConfigured() as configuration:
                self.configuration = configuration
            case RosterSnapshot(people=()):
                pass  # of its pairing, before anybody was there
            case _:
                self.surprises += 1

    def send(self, message: EstateMessage) -> None:
        """Put a record into the log."""
        self.journal.put(ESTATE.kind(message), ESTATE.encode(message))
        if self.link is not None:
            self.link.wake()

    def ask(self, message: EstateMessage, deadline: float) -> bytes:
        """Ask the server and wait.

        Raises:
            LinkDown, RequestFailed, DeadlinePassed: see `tier_link.channel.LiveLink.request`.
        """
        if self.link is None:
            raise RuntimeError("the link is down")
        return self.link.request(ESTATE.kind(message), ESTATE.encode(message), deadline)

    def show(self) -> None:
        """Say how the door is."""
        if self.link is not None:
            presence = DoorPresence(
                roster_version=self.version,
                roster_hash=self.shape.hashes[self.version - self._first],
                mode="local",
                template_space=self.configuration.template_space if self.configuration else "",
                software="simulated",
                camera="",
                uptime_s=1,
                queue=min(self.journal.waiting, 1000),
                detect_ms=1,
                encode_ms=1,
                time_known=True,
            )
            self.link.publish(ESTATE.kind(presence), ESTATE.encode(presence))


class DoorCrowd:
    """All doors of one estate, on one event loop; a context manager.

    Args:
        url: of the server, `https://…`.
        authority: its CA, PEM.
        server: its node id and link key.
        doors: with each one's link key.
    """

    def __init__(
        self,
        url: str,
        authority: str,
        server: tuple[str, Ed25519PublicKey],
        doors: Sequence[tuple[SimulatedDoor, Ed25519PrivateKey]],
    ) -> None:
        self.doors = [door for door, _ in doors]
        self._own = OwnLoop()
        workers, tls = Workers(), pinned_tls(authority)
        for door, key in doors:
            door.dialer = Dialer(
                f"{url.replace('https:', 'wss:')}/link",
                NodeIdentity(door.door, key),
                *server,
                door.journal,
                door,
                tls,
                workers=workers,
            )

    def __enter__(self) -> Self:
        for door in self.doors:
            if door.dialer is not None:
                asyncio.run_coroutine_threadsafe(door.dialer.run(), self._own.loop)
        asyncio.run_coroutine_threadsafe(self._show(), self._own.loop)
        return self

    def __exit__(self, *_: object) -> None:
        self._own.stop()

    @property
    def connected(self) -> int:
        """How many doors have a link."""
        return sum(door.link is not None for door in self.doors)

    async def _show(self) -> None:
        """Each door in its turn, evenly over the time."""
        while True:
            began = time.monotonic()
            for number, door in enumerate(self.doors):
                door.show()
                due = began + PRESENCE_S * (number + 1) / len(self.doors)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
