"""Reading a database out, table by table, whichever it is: one snapshot, in little memory."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Row, Table, select, text

from community_server.backups.records import End, Manifest, Record, Rows, Value
from community_server.change import CLOUD

REVISION_TABLE: Final = "alembic_version"
LEFT_OUT: Final = frozenset(
    {REVISION_TABLE, "data_keys", "link_pairing_codes", "staff_sessions", "staff_tickets"}
)
"""Tables that no data backup holds: data keys are in the bundle, from which the erased are gone;
the others lapse within hours, and whoever was signed out since would be signed in again."""

_ROWS: Final = 500
_BYTES: Final = 256 * 1024
"""Where a batch of rows ends."""


def dump(connection: Connection) -> Iterator[Record]:
    """Yield all that a data backup holds, as the connection's transaction sees it.

    The keyed hashes of cards are left out: whoever has an old backup and a newer bundle, and so the
    key of the hash, could try out the cards of people who were erased in between. They are made
    anew from what is sealed under each person's own key. Of what waits for a link only the cloud's
    part is kept: the doors' part holds templates, and doors are told everything anew.
    """
    schema = MetaData()
    schema.reflect(connection)
    tables = [table for table in schema.sorted_tables if table.name not in LEFT_OUT]
    revision = connection.scalar(text(f"SELECT version_num FROM {REVISION_TABLE}"))  # noqa: S608
    columns = {str(table.name): tuple(str(one.name) for one in table.columns) for table in tables}
    yield Manifest(str(revision), columns)
    counts = {}
    for table in tables:
        counts[str(table.name)] = 0
        for rows in _batches(connection, table):
            counts[rows.table] += len(rows.rows)
            yield rows
    yield End(counts)


def _batches(connection: Connection, table: Table) -> Iterator[Rows]:
    query = select(table)
    if table.name == "link_outbox":
        query = query.where(table.c.peer == CLOUD)
    blanks = _BLANKS.get(table.name, {})
    change = [blanks.get(column.name) for column in table.columns]
    batch: list[tuple[Value, ...]] = []
    size = 0
    result = connection.execution_options(yield_per=_ROWS).execute(query)
    for row in result:
        values = tuple(
            blank(row) if blank else value for value, blank in zip(row, change, strict=True)
        )
        batch.append(values)
        size += sum(len(value) for value in values if isinstance(value, str | bytes))
        if len(batch) == _ROWS or size >= _BYTES:
            yield Rows(str(table.name), tuple(batch))
            batch, size = [], 0
    if batch:
        yield Rows(str(table.name), tuple(batch))


def _nothing(row: Row[Any]) -> Value:
    del row
    return None


def _own_id(row: Row[Any]) -> Value:
    """Return something that no other row has, as the column asks for."""
    return bytes.fromhex(row.id)


_BLANKS: Final[dict[str, dict[str, Callable[[Row[Any]], Value]]]] = {
    "people": {"phone_hash": _nothing},
    "cards": {"tag": _own_id},
}
