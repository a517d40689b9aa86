"""The relay at scale: bodies wait in the memory of NATS brokers, pointers to them in the database.

No body touches a disk here, and any process can hand out what another took. The order of
writes makes every crash harmless: the brokers hold a body before the transaction with its
pointer begins, and let go of it after the one that says "collected" has committed. What a crash
leaves in between is a body without a pointer, which nobody reads and which expires. What is lost
with all brokers at once leaves a pointer without a body: then the browser sends again.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, delete, event, exists, select
from sqlalchemy.orm import Session

from enrollment_cloud.limits import MAX_WAITING_BYTES_PER_COMMUNITY
from enrollment_cloud.relay.broker import Broker, StreamFull
from enrollment_cloud.relay.pointers import OUTBOX, BodyAway, Pointer, PointingStore
from enrollment_cloud.relay.stream import SUBJECTS
from tier_kit.forms.errors import Busy
from tier_link.relay_messages import RELAY, EnvelopeDeposited
from tier_link.store import LinkStore

COMMUNITY_SHARE: Final = 1 / 8
"""Of the brokers' memory, for one community: a flood at one leaves the others most of it."""

MAX_PUBLISHING: Final = 16
"""Threads that wait for brokers at one time, of forty that answer requests: while brokers
choose a leader, pages and replies go on."""

_TURN_S: Final = 0.5
"""Seconds to wait for a turn among them: a publication takes some ten milliseconds."""
_AGAIN_SECONDS: Final = 5

_KEPT_UNTIL_DROPPED: Final = timedelta(seconds=1)
"""An acknowledged pointer stays until `drop` has read which body it stood for: that is in the same
transaction, so any time but none will do."""


@dataclass
class JetStreamRelay:
    """A relay over NATS JetStream; see `enrollment_cloud.relay.Relay`.

    Args:
        engine: the cloud's database.
        broker: the connection.
        memory: bytes that the brokers hold for all communities.
    """

    engine: Engine
    broker: Broker
    memory: int
    store: LinkStore = field(init=False)
    _publishing: threading.BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.store = PointingStore(self.engine, self._fetch, keep_acknowledged=_KEPT_UNTIL_DROPPED)
        self._publishing = threading.BoundedSemaphore(MAX_PUBLISHING)

    @property
    def room(self) -> int:
        """A community's share of the brokers' memory."""
        return min(MAX_WAITING_BYTES_PER_COMMUNITY, int(self.memory * COMMUNITY_SHARE))

    @property
    def available(self) -> bool:
        """Whether a broker is connected and has the stream."""
        return self.broker.prepared

    def hold(self, community: str, envelope: EnvelopeDeposited) -> None:
        """Publish the body and wait until most brokers have it.

        Raises:
            Busy: the brokers are away or full (`cloud-busy`).
        """
        if not self._publishing.acquire(timeout=_TURN_S):
            raise Busy("cloud-busy", retry_after=_AGAIN_SECONDS)
        try:
            self.broker.publish(_subject(community, envelope.envelope), RELAY.encode(envelope))
        except (BodyAway, StreamFull) as error:
            raise Busy("cloud-busy", retry_after=_AGAIN_SECONDS) from error
        finally:
            self._publishing.release()

    def release(self, community: str, envelope: str) -> None:
        """Have the body purged."""
        self.broker.purge(_subject(community, envelope))

    def deposit(self, session: Session, community: str, envelope: EnvelopeDeposited) -> int:
        """Put a pointer to the body into the community's log."""
        pointer = Pointer(envelope.envelope, len(envelope.sealed))
        return self.store.put(session, community, RELAY.kind(envelope), bytes(pointer))

    def holds(self, session: Session, community: str, sequence: int) -> bool:
        """Say whether the pointer is still there."""
        row = exists().where(OUTBOX.c.peer == community, OUTBOX.c.sequence == sequence)
        return bool(session.scalar(select(row)))

    def has_lost(self, community: str, envelope: str) -> bool:
        """Ask the brokers; while they cannot be asked, nothing is known to be lost."""
        try:
            return not self.broker.has(_subject(community, envelope))
        except BodyAway:
            return False

    def drop(self, session: Session, community: str, sequences: Sequence[int]) -> None:
        """Delete the pointers now, the bodies after the commit."""
        gone = session.scalars(
            delete(OUTBOX)
            .where(OUTBOX.c.peer == community, OUTBOX.c.sequence.in_(sequences))
            .returning(OUTBOX.c.body)
        )
        pointers = [Pointer.read(body) for body in gone]
        self._purge_after(
            session, [_subject(community, one.envelope) for one in pointers if one is not None]
        )

    def drop_older(self, session: Session, before: int) -> None:
        """Delete pointers from before `before`; their bodies expire by themselves."""
        session.execute(delete(OUTBOX).where(OUTBOX.c.created_at < before))

    def forget(self, session: Session, community: str) -> None:
        """Delete the community's pointers now, its bodies after the commit."""
        self.store.forget_peer(session, community)
        self._purge_after(session, [_subject(community, "*")])

    def scrub(self) -> None:
        """Leave nothing to do: memory keeps no traces in files, and pointers are no bodies."""

    def close(self) -> None:
        """Disconnect from the brokers."""
        self.broker.close()

    def _fetch(self, community: str, envelope: str) -> bytes | None:
        return self.broker.fetch(_subject(community, envelope))

    def _purge_after(self, session: Session, subjects: Sequence[str]) -> None:
        def committed(_: Session) -> None:
            for subject in subjects:
                self.broker.purge(subject)

        event.listen(session, "after_commit", committed, once=True)


def _subject(community: str, envelope: str) -> str:
    return f"{SUBJECTS}.{community}.{envelope}"
