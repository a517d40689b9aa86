"""Opening a tier's database, the same way for all tiers."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from tier_link.errors import DatabaseAddressRefused

NAMING_CONVENTION: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of constraints and indexes, for every tier's `MetaData`: migrations can name them."""

BUSY_TIMEOUT_MS: Final = 5000
"""How long a SQLite writer waits for another one: far longer than any transaction of ours."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers go on while one writes
    "PRAGMA synchronous = FULL",  # an acknowledgement rests on the commit, so it must be on disk
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # deleted rows are overwritten, not merely unlinked
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
)
# What cannot be stored may be a photo, a name or a PIN: no error text or log repeats it.
_DISCREET: Final = {"hide_parameters": True}
_READ_ONLY = "gatehouse_read_only"


def open_database(url: str) -> Engine:
    """Open `sqlite:///<file>` or `postgresql+psycopg://…`; make the file's folder if need be.

    On SQLite every transaction begins IMMEDIATE, so that two writers queue up instead of
    one failing half-way; `reading` gives an engine for reads, which need not wait.

    Raises:
        DatabaseAddressRefused: another kind of address, or SQLite in memory, which would
            be a different database in every thread.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise DatabaseAddressRefused("not a database address") from error
    if address.drivername == "postgresql+psycopg":
        return create_engine(address, pool_pre_ping=True, **_DISCREET)
    if address.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise DatabaseAddressRefused(
            f"{address.drivername} is not supported; use sqlite or postgresql+psycopg"
        )
    if not address.database or address.database == ":memory:":
        raise DatabaseAddressRefused("a SQLite address names a file: sqlite:///path/to/file")
    Path(address.database).absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(address, **_DISCREET)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def reading(engine: Engine) -> Engine:
    """Return the same database for reads alone.

    Its transactions see one snapshot, wait for no writer, and refuse to write.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{_READ_ONLY: True})


def refuse_nul(engine: Engine, refusal: Callable[[], Exception]) -> None:
    """Keep text with U+0000 out: PostgreSQL cannot hold it, and SQLite would.

    Whatever text a person or program sent, by whichever way it came, passes here on its way into
    a statement; the statement then raises what `refusal` returns.
    """

    def look(*about: Any) -> None:
        parameters = about[3]
        for row in parameters if isinstance(parameters, list) else (parameters,):
            for value in row.values() if isinstance(row, Mapping) else row:
                if isinstance(value, str) and "\0" in value:
                    raise refusal()

    event.listen(engine, "before_cursor_execute", look)


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    if not isinstance(connection, sqlite3.Connection):
        raise DatabaseAddressRefused("this SQLite driver is not the standard library's")
    connection.isolation_level = None  # the driver begins nothing by itself; see below
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    # The pool hands the same connection to readers and writers, so each says which it is.
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE")
