"""What a backup's body is made of, and the one gate for reading it.

A record is four bytes of length (big-endian) and msgpack. First a `Manifest`, then `Rows` of table
after table, or `Keys`; an `End` with the counts comes last, and nothing behind it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from community_server.errors import BackupRefused

MAX_RECORD: Final = 32 * 1024 * 1024
"""Bytes: a batch ends at a quarter of a MiB, and no row, photos included, is near the rest."""
_LENGTH: Final = 4

Value: TypeAlias = int | float | str | bytes | bool | None
_VALUES: Final = (int, float, str, bytes, bool, type(None))


class Manifest(msgspec.Struct, frozen=True, tag="manifest"):
    """The schema's revision, and each table's columns in the order of its rows."""

    revision: str
    tables: dict[str, tuple[str, ...]]


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Some rows of one table; `check_rows` says whether each value is a `Value`."""

    table: str
    rows: tuple[tuple[Any, ...], ...]


class Keys(msgspec.Struct, frozen=True, tag="keys"):
    """Some owners and their data keys."""

    keys: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        """Show nothing of them."""
        return f"Keys({len(self.keys)})"


class End(msgspec.Struct, frozen=True, tag="end"):
    """How many rows of each table, or how many keys, stand before."""

    counts: dict[str, int]


Record: TypeAlias = Manifest | Rows | Keys | End
_decoder: Final = msgspec.msgpack.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """Return a record as it stands in a file.

    Raises:
        BackupRefused: a row longer than any that this version could read back.
    """
    data = msgspec.msgpack.encode(record)
    if len(data) > MAX_RECORD:
        raise BackupRefused("a row is too long for a backup", code="backup-unwritable")
    return len(data).to_bytes(_LENGTH) + data


def read_records(chunks: Iterable[bytes]) -> Iterator[Record]:
    """Yield the records of a body up to its end, in little memory.

    Raises:
        BackupRefused: `backup-damaged`: not records, too long, or no end, or something behind it.
    """
    held, ended = bytearray(), False
    for chunk in chunks:
        held += chunk
        while (size := _whole(held)) and not ended:
            record = _decode(bytes(held[_LENGTH:size]))
            del held[:size]
            ended = isinstance(record, End)
            yield record
        if ended and held:
            break
    if held or not ended:
        raise _malformed()


def check_rows(manifest: Manifest, rows: Rows) -> Sequence[Sequence[Value]]:
    """Return rows that fit what the manifest said of their table.

    Raises:
        BackupRefused: `backup-damaged`.
    """
    columns = manifest.tables.get(rows.table)
    if columns is None or any(len(row) != len(columns) for row in rows.rows):
        raise _malformed()
    if any(not isinstance(value, _VALUES) for row in rows.rows for value in row):
        raise _malformed()
    return rows.rows


def _whole(held: bytearray) -> int:
    """Return the size of the first record with its length, 0 while it is not whole."""
    if len(held) < _LENGTH:
        return 0
    length = int.from_bytes(held[:_LENGTH])
    if length > MAX_RECORD:
        raise _malformed()
    return _LENGTH + length if len(held) >= _LENGTH + length else 0


def _decode(data: bytes) -> Record:
    try:
        record: Record = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed() from error
    return record


def _malformed() -> BackupRefused:
    return BackupRefused("the backup does not hold what it should", code="backup-damaged")
