"""Putting a dump's rows into an empty database, as the release that made it had its tables."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, Engine, MetaData, Table, delete, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from community_server.backups.dump import REVISION_TABLE
from community_server.backups.records import End, Manifest, Record, Rows, check_rows
from community_server.errors import BackupRefused, StartRefused
from community_server.tables import metadata
from tier_link.store import bring_up_to_date

_KEYS: Final = "data_keys"
"""Filled at the very end of a restore: a database without any was never whole."""


def is_living(engine: Engine) -> bool:
    """Say whether an estate lives in this database."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(_KEYS):
            return False
        keys = select(func.count()).select_from(metadata[0].tables[_KEYS])
        return bool(connection.scalar(keys))


def empty(engine: Engine) -> None:
    """Take away what an interrupted restore has left.

    Raises:
        StartRefused: `database-not-empty`: there are tables of something else.
    """
    ours = {REVISION_TABLE, *(name for one in metadata for name in one.tables)}
    with engine.begin() as connection:
        found = MetaData()
        found.reflect(connection)
        if others := sorted(found.tables.keys() - ours):
            raise StartRefused(
                f"this database holds tables of something else ({others[0]}); restore into an "
                "empty one",
                code="database-not-empty",
            )
        found.drop_all(connection)


def load(engine: Engine, records: Iterator[Record]) -> Mapping[str, int]:
    """Fill an empty database, then bring it up to date; return how many rows each table got.

    Raises:
        BackupRefused: `backup-damaged`.
    """
    manifest = next(records, None)
    if not isinstance(manifest, Manifest):
        raise BackupRefused("the backup does not hold what it should", code="backup-damaged")
    try:
        bring_up_to_date(engine, "community", manifest.revision)
        with engine.begin() as connection:
            counts = _fill(connection, manifest, records)
        bring_up_to_date(engine, "community")
    except (SQLAlchemyError, OverflowError) as error:
        raise BackupRefused(
            f"the database does not take what the backup holds ({type(error).__name__})",
            code="backup-damaged",
        ) from error
    return counts


def _fill(
    connection: Connection, manifest: Manifest, records: Iterator[Record]
) -> Mapping[str, int]:
    schema = MetaData()
    schema.reflect(connection)
    tables = {table.name: table for table in schema.sorted_tables if table.name != REVISION_TABLE}
    for table in reversed(tables.values()):  # what migrations put in by themselves is in the dump
        connection.execute(delete(table))
    counts = dict.fromkeys(manifest.tables, 0)
    for record in records:
        match record:
            case Rows() if record.table in tables:
                names, rows = manifest.tables[record.table], check_rows(manifest, record)
                values = [dict(zip(names, row, strict=True)) for row in rows]
                connection.execute(tables[record.table].insert(), values)
                counts[record.table] += len(values)
            case End() if record.counts == counts:
                continue
            case _:
                raise BackupRefused(
                    "the backup does not hold what it should", code="backup-damaged"
                )
    _go_on_counting(connection, tables)
    return counts


def _go_on_counting(connection: Connection, tables: Mapping[str, Table]) -> None:
    """Let PostgreSQL's numbers go on behind the highest there is; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.values():
        for column in table.primary_key:
            found = connection.scalar(
                text("SELECT pg_get_serial_sequence(:table, :column)"),
                {"table": table.name, "column": column.name},
            )
            highest = connection.scalar(select(func.max(column))) if found else None
            if highest is not None:
                connection.execute(select(func.setval(found, highest)))
