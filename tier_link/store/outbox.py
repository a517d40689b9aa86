"""The durable log's two ends in a database: outbox, marks and epoch.

Exactly once in effect rests on two transactions: the sender's, which holds the record and
the fact it reports, and the receiver's, which holds the mark and the record's effect.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Engine, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tier_link.errors import MalformedMessage, RecordRefused, StorageFailed
from tier_link.events import DurableRecord, Marks
from tier_link.messages import MAX_RECORD
from tier_link.store.database import reading
from tier_link.store.tables import LinkBase, LinkOutbox, LinkPeer, LinkState

log = logging.getLogger(__name__)

Apply: TypeAlias = Callable[[Session, str, str, bytes], None]
"""`apply(session, peer, kind, body)`: the effect of one record, in the given transaction."""
Acknowledged: TypeAlias = Callable[[Session, str, Sequence[int]], None]
"""`acknowledged(session, peer, sequences)`: hook in the acknowledging transaction."""


class BodyCipher(Protocol):
    """Keeps record bodies unreadable in the database; the keys lie elsewhere."""

    def encrypt(self, peer: str, body: bytes) -> bytes:
        """Return what is stored of a record for `peer`."""
        ...

    def decrypt(self, peer: str, stored: bytes) -> bytes:
        """Return the body of what `encrypt` made."""
        ...


class LinkStore:
    """The link's side of one tier's database. Thread-safe; holds no state but the engine.

    Args:
        engine: From `open_database`, with `LinkBase`'s tables migrated in.
        keep_acknowledged: How long an acknowledged record is kept for a peer restored from
            a backup; zero deletes it in the acknowledging transaction.
        cipher: Encrypts bodies at rest, where they are not sealed anyway.
        clock: Unix seconds, for ages and for new epochs.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        keep_acknowledged: timedelta,
        cipher: BodyCipher | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._keep_s = int(keep_acknowledged.total_seconds())
        self._cipher = cipher
        self._clock = clock

    @property
    def epoch(self) -> int:
        """This store's epoch; the first look at a new store begins its first."""
        with Session(reading(self._engine)) as session:
            epoch: int | None = session.scalar(select(LinkState.epoch))
        if epoch is not None:
            return epoch
        with Session(self._engine) as session, session.begin():
            _insert_new(session, LinkState, id=1, epoch=self._epoch_now())
            return session.scalars(select(LinkState.epoch)).one()

    def renew_epoch(self) -> int:
        """Begin a new epoch: after a restore or promotion, before any link is opened.

        Epochs are Unix milliseconds, so a copy restored twice begins two different ones;
        should the clock have gone back, the next is still higher than the last.
        """
        old = self.epoch
        with Session(self._engine) as session, session.begin():
            new = max(old + 1, self._epoch_now())
            session.execute(update(LinkState).values(epoch=new))
        return new

    def put(self, session: Session, peer: str, kind: str, body: bytes) -> int:
        """Append a record for `peer` in the caller's transaction; return its sequence.

        The peer's row stays locked until that transaction ends, so sequences appear in
        order. A transaction that puts for several peers must go through them in sorted
        order, or two such can lock each other out. After the commit call `LiveLink.wake`.

        Raises:
            ValueError: `body` is longer than `MAX_RECORD`.
        """
        if len(body) > MAX_RECORD:
            raise ValueError(f"a record of {len(body)} bytes; at most {MAX_RECORD}")
        take_sequence = (
            update(LinkPeer)
            .where(LinkPeer.peer == peer)
            .values(next_sequence=LinkPeer.next_sequence + 1)
            .returning(LinkPeer.next_sequence)
            .execution_options(synchronize_session=False)
        )
        after = session.scalar(take_sequence)
        if after is None:
            _insert_peer(session, peer)
            after = session.scalars(take_sequence).one()
        sequence = after - 1
        session.add(
            LinkOutbox(
                peer=peer,
                sequence=sequence,
                kind=kind,
                body=self._cipher.encrypt(peer, body) if self._cipher else body,
                created_at=int(self._clock()),
                acknowledged_at=None,
            )
        )
        session.flush()
        return sequence

    def pending(
        self, peer: str, after: int, *, limit: int, max_bytes: int = MAX_RECORD
    ) -> list[DurableRecord]:
        """Return the next records behind sequence `after`, in order.

        Acknowledged ones are among them: whoever asks knows what the peer lacks. At most
        `limit`, and no more than `max_bytes` in all unless the first alone is larger.
        """
        behind = (LinkOutbox.peer == peer, LinkOutbox.sequence > after)
        sizes = (
            select(LinkOutbox.sequence, func.length(LinkOutbox.body))
            .where(*behind)
            .order_by(LinkOutbox.sequence)
            .limit(limit)
        )
        with Session(reading(self._engine)) as session:
            # Sizes first: the bodies that will not fit may be megabytes each.
            last = _last_that_fits(session.execute(sizes), max_bytes)
            if last is None:
                return []
            rows = session.execute(
                select(LinkOutbox.sequence, LinkOutbox.kind, LinkOutbox.body)
                .where(*behind, LinkOutbox.sequence <= last)
                .order_by(LinkOutbox.sequence)
            )
            return [
                DurableRecord(sequence, kind, self._body(peer, stored))
                for sequence, kind, stored in rows
            ]

    def waiting(self, peer: str) -> int:
        """Count the records that `peer` has not acknowledged."""
        with Session(reading(self._engine)) as session:
            return session.scalars(
                select(func.count())
                .select_from(LinkOutbox)
                .where(LinkOutbox.peer == peer, LinkOutbox.acknowledged_at.is_(None))
            ).one()

    def all_waiting(self, session: Session) -> dict[str, int]:
        """Count the records that each peer has not acknowledged; peers with none are left out."""
        counts = (
            select(LinkOutbox.peer, func.count())
            .where(LinkOutbox.acknowledged_at.is_(None))
            .group_by(LinkOutbox.peer)
        )
        return dict(session.execute(counts).all())

    def backlog(self, session: Session) -> tuple[int, int]:
        """Return how many records wait for all peers, and since when (Unix seconds; 0: none)."""
        waiting = LinkOutbox.acknowledged_at.is_(None)
        oldest = select(func.count(), func.min(LinkOutbox.created_at)).where(waiting)
        count, since = session.execute(oldest).one()
        return count, since or 0

    def acknowledge(
        self, peer: str, epoch: int, sequence: int, hook: Acknowledged | None = None
    ) -> None:
        """Note that `peer` has taken everything of `epoch` up to `sequence`.

        `hook` is told the newly acknowledged sequences, in the same transaction. An
        acknowledgement of another epoch than ours means other records and changes nothing.

        Raises:
            StorageFailed: the database cannot be written.
        """
        if epoch != self.epoch:
            return
        waiting = (
            LinkOutbox.peer == peer,
            LinkOutbox.sequence <= sequence,
            LinkOutbox.acknowledged_at.is_(None),
        )
        statement = (
            update(LinkOutbox).where(*waiting).values(acknowledged_at=int(self._clock()))
            if self._keep_s
            else delete(LinkOutbox).where(*waiting)
        )
        with _storing(), Session(self._engine) as session, session.begin():
            rows = session.scalars(
                statement.returning(LinkOutbox.sequence).execution_options(
                    synchronize_session=False
                )
            )
            sequences = sorted(rows)
            if sequences and hook is not None:
                hook(session, peer, sequences)

    def marks(self, peer: str) -> Marks:
        """Return what a handshake with `peer` says and checks."""
        epoch = self.epoch
        with Session(reading(self._engine)) as session:
            row = session.get(LinkPeer, peer)
            if row is None:
                return Marks(epoch=epoch, next_sequence=1, seen_epoch=0, seen_sequence=0)
            return Marks(epoch, row.next_sequence, row.seen_epoch, row.seen_sequence)

    def meet(self, peer: str, epoch: int) -> None:
        """Note that `peer`, whose hello was proven, is in `epoch`.

        A higher epoch than before means another log: its records are taken from the start.

        Raises:
            StorageFailed: the database cannot be written.
        """
        with _storing(), Session(self._engine) as session, session.begin():
            _insert_peer(session, peer)
            session.execute(
                update(LinkPeer)
                .where(LinkPeer.peer == peer, LinkPeer.seen_epoch < epoch)
                .values(seen_epoch=epoch, seen_sequence=0)
            )

    def receive(self, session: Session, peer: str, epoch: int, sequence: int) -> bool:
        """Advance the mark in the caller's transaction; False when it is already past.

        The effect of the record belongs into the same transaction, and only after True.
        """
        advance = (
            update(LinkPeer)
            .where(
                LinkPeer.peer == peer,
                or_(
                    LinkPeer.seen_epoch < epoch,
                    (LinkPeer.seen_epoch == epoch) & (LinkPeer.seen_sequence < sequence),
                ),
            )
            .values(seen_epoch=epoch, seen_sequence=sequence)
            .returning(LinkPeer.peer)
            .execution_options(synchronize_session=False)
        )
        if session.scalar(advance) is not None:
            return True
        # Either already past, or a peer without a row: only then does the insert change anything.
        _insert_peer(session, peer)
        return session.scalar(advance) is not None

    def take(self, peer: str, epoch: int, records: Sequence[DurableRecord], apply: Apply) -> None:
        """Let `records` take effect, all in one transaction, each at most once ever.

        A record that `apply` refuses (`RecordRefused`, `MalformedMessage`) is logged and
        skipped without a trace of it; any other error rolls everything back and is raised.

        Raises:
            StorageFailed: the database cannot be written; nothing has taken effect.
        """
        with _storing(), Session(self._engine) as session, session.begin():
            for record in records:
                if not self.receive(session, peer, epoch, record.sequence):
                    continue
                try:
                    with session.begin_nested():
                        apply(session, peer, record.kind, record.body)
                except (RecordRefused, MalformedMessage) as refusal:
                    log.warning(
                        "record refused peer=%s sequence=%d kind=%s code=%s",
                        peer,
                        record.sequence,
                        record.kind,
                        refusal.code,
                    )

    def prune(self, now: float) -> int:
        """Delete records acknowledged longer ago than they are kept; return how many.

        What was acknowledged while the time was unknown (0) counts from now on.
        """
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(LinkOutbox)
                .where(LinkOutbox.acknowledged_at == 0)
                .values(acknowledged_at=int(now))
            )
            rows = session.scalars(
                delete(LinkOutbox)
                .where(LinkOutbox.acknowledged_at < int(now) - self._keep_s)
                .returning(LinkOutbox.sequence)
                .execution_options(synchronize_session=False)
            )
            return len(rows.all())

    def drop_acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> int:
        """Delete records before their time, if `peer` has acknowledged them; return how many."""
        rows = session.scalars(
            delete(LinkOutbox)
            .where(
                LinkOutbox.peer == peer,
                LinkOutbox.sequence.in_(sequences),
                LinkOutbox.acknowledged_at.is_not(None),
            )
            .returning(LinkOutbox.sequence)
            .execution_options(synchronize_session=False)
        )
        return len(rows.all())

    def peers(self, session: Session) -> Sequence[str]:
        """Return all peers with a row, sorted."""
        return session.scalars(select(LinkPeer.peer).order_by(LinkPeer.peer)).all()

    def rewrite(
        self, session: Session, peer: str, change: Callable[[str, bytes], bytes | None]
    ) -> None:
        """Put other bodies in place of what is kept for `peer`, in the caller's transaction.

        `change(kind, body)` returns the body to be, which is encrypted anew, or None to leave the
        record as it is. Sequences stay. What is on its way already may arrive as it was.
        The peer's row stays locked until the transaction ends, as by `put`.
        """
        session.execute(select(LinkPeer.peer).where(LinkPeer.peer == peer).with_for_update())
        sequences = select(LinkOutbox.sequence).where(LinkOutbox.peer == peer)
        for sequence in session.scalars(sequences.order_by(LinkOutbox.sequence)).all():
            row = session.get_one(LinkOutbox, (peer, sequence))
            body = change(row.kind, self._body(peer, row.body))
            if body is not None:
                row.body = self._cipher.encrypt(peer, body) if self._cipher else body
            session.flush()
            session.expunge(row)  # bodies may be megabytes each

    def forget_peer(self, session: Session, peer: str) -> None:
        """Forget what was seen of `peer` and drop what waits for it: it is gone or made anew.

        Our own sequence goes on, so that a peer that kept its memory misses nothing new.
        """
        session.execute(delete(LinkOutbox).where(LinkOutbox.peer == peer))
        session.execute(
            update(LinkPeer).where(LinkPeer.peer == peer).values(seen_epoch=0, seen_sequence=0)
        )

    def _body(self, peer: str, stored: bytes) -> bytes:
        return self._cipher.decrypt(peer, stored) if self._cipher else stored

    def _epoch_now(self) -> int:
        return max(1, int(self._clock() * 1000))


@contextmanager
def _storing() -> Iterator[None]:
    """Say in our own words that the database does not take what a link has to write."""
    try:
        yield
    except OperationalError as error:
        raise StorageFailed(f"the database cannot be written: {error.orig}") from error


def _last_that_fits(sizes: Iterable[tuple[int, int]], room: int) -> int | None:
    last = None
    for sequence, size in sizes:
        room -= size
        if last is not None and room < 0:
            break
        last = sequence
    return last


def _insert_peer(session: Session, peer: str) -> None:
    _insert_new(session, LinkPeer, peer=peer, next_sequence=1, seen_epoch=0, seen_sequence=0)


def _insert_new(session: Session, table: type[LinkBase], **values: Any) -> None:
    """Insert a row unless its key exists."""
    insert: Any = (
        postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    )
    session.execute(insert(table).values(**values).on_conflict_do_nothing())
