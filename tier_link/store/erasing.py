"""Taking deleted rows out of a database's files.

Deleting a row does not remove its bytes from the files:

- SQLite: `secure_delete` overwrites freed pages, and a truncating checkpoint empties the
  write-ahead log (https://sqlite.org/pragma.html#pragma_wal_checkpoint).
- PostgreSQL: `VACUUM (FULL)` rewrites a table without its dead rows and unlinks the old files.
  Its write-ahead log keeps what it was told, unless the table is UNLOGGED.

What the disk itself keeps of overwritten or unlinked blocks is beyond a database's reach.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:  # a tier on SQLite has no psycopg
    from psycopg import Connection as PostgresqlConnection
    from psycopg.errors import Diagnostic

_ADVISORY_LOCK: Final = 0x6761_7465_0002
"""PostgreSQL's name for "somebody rewrites tables here"; the number itself means nothing."""

_LOCK_TIMEOUT_S: Final = 5
"""Rewriting keeps everybody out, and while it waits for its lock, others queue behind it."""

_LEADING_COUNT: Final = re.compile(r"^\d+")
"""VACUUM's detail begins with the count of "dead row versions [that] cannot be removed yet"."""

_log = logging.getLogger(__name__)


@dataclass
class TraceEraser:
    """Erases the traces of what was deleted from some tables, after the deletion's commit.

    Attributes:
        tables: what PostgreSQL rewrites; they hold few rows at any time.
        reader_wait_s: how long SQLite waits for readers, keeping writers out meanwhile.
        due: whether traces may be left. At the start they may: the process before this one
            may have died between a deletion and this.
    """

    engine: Engine
    tables: Sequence[str]
    reader_wait_s: float
    due: bool = field(default=True, init=False)

    def erase(self) -> bool:
        """Return whether nothing of deleted rows is left; if something is, it stays due."""
        return self._erase(self.tables)

    def sweep(self) -> bool:
        """Erase what is due, and what was deleted without a word."""
        return self._erase(self.tables if self.due else self._tables_with_dead_rows())

    def _erase(self, tables: Sequence[str]) -> bool:
        # Cleared first: what is deleted meanwhile sets it again.
        self.due = False
        finished = False
        try:
            if self.engine.dialect.name == "sqlite":
                finished = _truncate_log(self.engine, self.reader_wait_s)
            else:
                finished = _rewrite(self.engine, tables)
        finally:
            if not finished:
                self.due = True
        return finished

    def _tables_with_dead_rows(self) -> Sequence[str]:
        if self.engine.dialect.name == "sqlite":
            return ()
        query = text(
            "SELECT relname FROM pg_stat_user_tables"
            " WHERE n_dead_tup > 0 AND relname = ANY(:tables)"
        )
        with self.engine.connect() as connection:
            return connection.scalars(query, {"tables": list(self.tables)}).all()


def _truncate_log(engine: Engine, reader_wait_s: float) -> bool:
    # On the driver's own connection: a checkpoint cannot run inside a transaction.
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout")
        (usual,) = _row(cursor)
        cursor.execute(f"PRAGMA busy_timeout = {int(reader_wait_s * 1000)}")
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


def _rewrite(engine: Engine, tables: Sequence[str]) -> bool:
    if not tables:
        return True
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
        try:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _ADVISORY_LOCK})
            try:
                finished = [_rewrite_one(connection, table) for table in tables]
            finally:
                connection.execute(
                    text("SELECT pg_advisory_unlock(:lock)"), {"lock": _ADVISORY_LOCK}
                )
            return all(finished)
        except OperationalError as error:
            _log.info("erase=later reason=%s", type(error.orig).__name__)
            return False
        finally:
            connection.execute(text("RESET lock_timeout"))


def _rewrite_one(connection: Connection, table: str) -> bool:
    kept: list[str] = []

    def note(diagnostic: "Diagnostic") -> None:
        kept.extend(_LEADING_COUNT.findall(diagnostic.message_detail or ""))

    driver = cast("PostgresqlConnection[Any]", connection.connection.driver_connection)
    driver.add_notice_handler(note)
    try:
        connection.execute(text(f'VACUUM (FULL, VERBOSE) "{table}"'))
    except OperationalError as error:
        _log.info("erase=later table=%s reason=%s", table, type(error.orig).__name__)
        return False
    finally:
        driver.remove_notice_handler(note)
    # A rewrite keeps the rows that an older snapshot might still read, and says how many.
    return kept == ["0"]
