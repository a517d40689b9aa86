"""The embedded relay: bodies wait in the link's outbox, in the cloud's own database.

Deleting a row does not remove its bytes from a database's files, so `scrub` does. On PostgreSQL
the outbox is moreover an UNLOGGED table, so that bodies never reach the write-ahead log. A crash
of the database server empties such a table; the browsers then send again.

What the disk itself keeps is beyond a database's reach; at scale a relay in a broker's memory
touches no disk at all.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

from sqlalchemy import CursorResult, Engine, delete, event, exists, select
from sqlalchemy.orm import Session

from enrollment_cloud.limits import MAX_WAITING_BYTES_PER_COMMUNITY
from enrollment_cloud.relay.pointers import OUTBOX, PointingStore, no_bodies
from tier_link.relay_messages import RELAY, EnvelopeDeposited
from tier_link.store import LinkStore, TraceEraser

SCRUB_ANYWAY_SECONDS: Final = 3600.0
"""A process that died between a delivery and its scrub leaves the work to the others."""

SCRUB_SHARE: Final = 0.05
"""Rewriting locks the outbox; it may take this share of the time and no more."""

_READER_WAIT_SECONDS: Final = 0.1
"""Erasing keeps writers out while it waits for readers: rather try again in a second."""

_log = logging.getLogger(__name__)


@dataclass
class DatabaseRelay:
    """A relay within the cloud's database; see `enrollment_cloud.relay.Relay`."""

    engine: Engine
    room: int = MAX_WAITING_BYTES_PER_COMMUNITY
    available: bool = True
    store: LinkStore = field(init=False)
    traces: TraceEraser = field(init=False)
    _last_scrub: float = field(default=0.0, init=False)
    _not_before: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.store = PointingStore(self.engine, no_bodies, keep_acknowledged=timedelta(0))
        self.traces = TraceEraser(self.engine, (OUTBOX.name,), _READER_WAIT_SECONDS)

    def hold(self, community: str, envelope: EnvelopeDeposited) -> None:
        """Leave it to `deposit`: body and row are one here."""

    def release(self, community: str, envelope: str) -> None:
        """Hold nothing that a transaction did not store."""

    def deposit(self, session: Session, community: str, envelope: EnvelopeDeposited) -> int:
        """Put the envelope into the community's log."""
        return self.store.put(session, community, RELAY.kind(envelope), RELAY.encode(envelope))

    def holds(self, session: Session, community: str, sequence: int) -> bool:
        """Say whether the row is still there."""
        row = exists().where(OUTBOX.c.peer == community, OUTBOX.c.sequence == sequence)
        return bool(session.scalar(select(row)))

    def has_lost(self, community: str, envelope: str) -> bool:
        """Say no: what waits has its body."""
        del community, envelope
        return False

    def drop(self, session: Session, community: str, sequences: Sequence[int]) -> None:
        """Delete the rows; the scrub follows the transaction's commit."""
        session.execute(
            delete(OUTBOX).where(OUTBOX.c.peer == community, OUTBOX.c.sequence.in_(sequences))
        )
        self._scrub_after(session)

    def drop_older(self, session: Session, before: int) -> None:
        """Delete all rows from before `before`."""
        old = delete(OUTBOX).where(OUTBOX.c.created_at < before)
        if cast("CursorResult[tuple[()]]", session.execute(old)).rowcount:
            self._scrub_after(session)

    def forget(self, session: Session, community: str) -> None:
        """Delete the community's rows."""
        self.store.forget_peer(session, community)
        self._scrub_after(session)

    def scrub(self) -> None:
        """Remove the traces of deleted rows, if there may be some and it is not too soon."""
        now = time.monotonic()
        overdue = now - self._last_scrub > SCRUB_ANYWAY_SECONDS
        if now < self._not_before or not (self.traces.due or overdue):
            return
        try:
            finished = self.traces.erase()
            _log.info("event=relay-scrubbed finished=%s", finished)
        finally:
            self._last_scrub = time.monotonic()
            self._not_before = self._last_scrub + (self._last_scrub - now) / SCRUB_SHARE

    def close(self) -> None:
        """Hold nothing open."""

    def _scrub_after(self, session: Session) -> None:
        def committed(_: Session) -> None:
            self.traces.due = True

        event.listen(session, "after_commit", committed, once=True)
