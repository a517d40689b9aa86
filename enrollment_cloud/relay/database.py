"""The embedded relay: bodies wait in the link's outbox, in the cloud's own database.

Deleting a row does not remove its bytes from a database's files, so `scrub` does:

- SQLite: `secure_delete` overwrites freed pages, and a truncating checkpoint empties the
  write-ahead log (https://sqlite.org/pragma.html#pragma_wal_checkpoint).
- PostgreSQL: the outbox is an UNLOGGED table, so that bodies never reach the write-ahead log,
  and `VACUUM (FULL)` rewrites it without its dead rows and unlinks the old files. A crash of
  the database server empties such a table; the browsers then send again.

What the disk itself keeps of overwritten or unlinked blocks is beyond a database's reach; at
scale a relay in a broker's memory touches no disk at all.
"""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Connection, CursorResult, Engine, delete, event, exists, select, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.orm import Session

from tier_link.relay_messages import RELAY, EnvelopeDeposited
from tier_link.store import LinkBase, LinkStore

if TYPE_CHECKING:  # a cloud on SQLite has no psycopg
    from psycopg import Connection as PostgresqlConnection
    from psycopg.errors import Diagnostic

SCRUB_ANYWAY_SECONDS: Final = 3600.0
"""A process that died between a delivery and its scrub leaves the work to the others."""

SCRUB_SHARE: Final = 0.05
"""Rewriting locks the outbox; it may take this share of the time and no more."""

_CHECKPOINT_WAIT_MS: Final = 100
"""The checkpoint keeps writers out while it waits for readers: rather try again in a second."""

_SCRUB_LOCK: Final = 0x6761_7465_0002
"""Advisory lock number: "gate", scrub. One process rewrites at a time."""

_LEADING_COUNT: Final = re.compile(r"^\d+")
"""VACUUM's detail begins with the count of "dead row versions [that] cannot be removed yet"."""

_log = logging.getLogger(__name__)
_outbox = LinkBase.metadata.tables["link_outbox"]


@dataclass
class DatabaseRelay:
    """A relay within the cloud's database; see `enrollment_cloud.relay.Relay`."""

    engine: Engine
    store: LinkStore
    _dirty: bool = field(default=True, init=False)  # the process before this one may have died
    _last_scrub: float = field(default=0.0, init=False)
    _not_before: float = field(default=0.0, init=False)

    def deposit(self, session: Session, community: str, envelope: EnvelopeDeposited) -> int:
        """Put the envelope into the community's log."""
        return self.store.put(session, community, RELAY.kind(envelope), RELAY.encode(envelope))

    def holds(self, session: Session, community: str, sequence: int) -> bool:
        """Say whether the row is still there."""
        row = exists().where(_outbox.c.peer == community, _outbox.c.sequence == sequence)
        return bool(session.scalar(select(row)))

    def drop(self, session: Session, community: str, sequences: Sequence[int]) -> None:
        """Delete the rows; the scrub follows the transaction's commit."""
        session.execute(
            delete(_outbox).where(_outbox.c.peer == community, _outbox.c.sequence.in_(sequences))
        )
        self._scrub_after(session)

    def drop_older(self, session: Session, before: int) -> None:
        """Delete all rows from before `before`."""
        old = delete(_outbox).where(_outbox.c.created_at < before)
        if cast("CursorResult[tuple[()]]", session.execute(old)).rowcount:
            self._scrub_after(session)

    def scrub(self) -> None:
        """Remove the traces of deleted rows, if there may be some and it is not too soon."""
        now = time.monotonic()
        overdue = now - self._last_scrub > SCRUB_ANYWAY_SECONDS
        if now < self._not_before or not (self._dirty or overdue):
            return
        # Cleared first: what is deleted meanwhile sets it again.
        self._dirty = False
        finished = False
        try:
            finished = _scrub(self.engine)
            _log.info("event=relay-scrubbed finished=%s", finished)
        finally:
            if not finished:
                self._dirty = True
            self._last_scrub = time.monotonic()
            self._not_before = self._last_scrub + (self._last_scrub - now) / SCRUB_SHARE

    def _scrub_after(self, session: Session) -> None:
        def committed(_: Session) -> None:
            self._dirty = True

        event.listen(session, "after_commit", committed, once=True)


def _scrub(engine: Engine) -> bool:
    """Return whether nothing of the deleted rows is left."""
    if engine.dialect.name == "sqlite":
        return _truncate_log(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return _rewrite_outbox(connection)


def _truncate_log(engine: Engine) -> bool:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout")
        (usual,) = _row(cursor)
        cursor.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = _row(cursor)
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
        cursor.close()
    finally:
        raw.close()
    return not busy


def _row(cursor: DBAPICursor) -> Sequence[int]:
    row: Sequence[int] | None = cursor.fetchone()
    return row or ()


def _rewrite_outbox(connection: Connection) -> bool:
    if not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _SCRUB_LOCK}):
        return False
    kept: list[str] = []

    def note(diagnostic: "Diagnostic") -> None:
        kept.extend(_LEADING_COUNT.findall(diagnostic.message_detail or ""))

    driver = cast("PostgresqlConnection[Any]", connection.connection.driver_connection)
    driver.add_notice_handler(note)
    try:
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("VACUUM (FULL, VERBOSE) link_outbox"))
    finally:
        driver.remove_notice_handler(note)
        connection.execute(text("RESET lock_timeout"))
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _SCRUB_LOCK})
    # A rewrite keeps the rows that an older snapshot might still read, and says how many.
    return kept == ["0"]
