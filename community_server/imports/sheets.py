"""From the bytes of a CSV or XLSX file to rows of text, within bounds; nothing touches a disk."""

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice
from typing import Final

from community_server.errors import InputRefused

MAX_FILE: Final = 1024 * 1024
"""Bytes of a file: up to here the framework keeps an upload in memory. Far more than 5,000 rows."""
MAX_ROWS: Final = 5000
MAX_COLUMNS: Final = 40
MAX_CELL: Final = 300
"""Characters of one cell."""
MAX_UNPACKED: Final = 32 * 1024 * 1024
"""Bytes of an XLSX file once unpacked: a sheet of `MAX_ROWS` has less than a tenth of that."""
MAX_PARTS: Final = 300
"""Files inside an XLSX file."""

MAX_TAGS: Final = 600_000
"""Tags in all parts of an XLSX file: `MAX_ROWS` of 15 columns, each cell with a text of its own. A
tag has four bytes and becomes an object of hundreds."""
MAX_STYLE_TAGS: Final = 20_000
"""Of these in its styles, where a tag costs ten times as much; long lists have some thousand."""

_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # another compression, or a newer format
    RuntimeError,  # encrypted
    ValueError,
    OSError,
    struct.error,
)
"""What `zipfile` raises for foreign bytes."""
_STYLES: Final = "xl/styles.xml"
_DECLARATION: Final = (b"<!DOCTYPE", b"<!ENTITY")
_ZIP: Final = b"PK\3\4"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS: Final = ",;\t"

Rows = list[list[str]]


def read_sheet(data: bytes) -> Rows:
    """Return the rows of a file, stripped, and short where nothing more stands in them.

    Raises:
        InputRefused: `file-empty`, `file-long`, `file-old`, `file-unreadable`, `rows-too-many`.
    """
    if not data.strip():
        raise _refused("nothing is in this file", "file-empty")
    if len(data) > MAX_FILE:
        raise _refused("too long a file", "file-long")
    if data.startswith(_OLD_EXCEL):
        raise _refused("Excel's format of before 2007", "file-old")
    rows = _workbook(data) if data.startswith(_ZIP) else _text(data)
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) > MAX_ROWS + 1:
        raise _refused("too many rows", "rows-too-many")
    if any(len(cell) > MAX_CELL for row in rows for cell in row):
        raise _refused("a cell too long", "file-unreadable")
    return rows


def _text(data: bytes) -> Rows:
    text = _decoded(data)
    if "\0" in text:
        raise _refused("no text", "file-unreadable")
    first = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        read = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        return _bounded(read)
    except csv.Error as error:
        raise _refused("broken quotation marks", "file-unreadable") from error


def _decoded(data: bytes) -> str:
    """Decode what Excel and others write: UTF-8, UTF-16 with its mark, or China's GB 18030."""
    encodings = ("utf-16",) if data.startswith(_UTF_16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused("an encoding of its own", "file-unreadable")


def _workbook(data: bytes) -> Rows:
    # A sixteenth of the server's start is this package's, and most estates import once.
    from openpyxl import load_workbook  # noqa: PLC0415 -- slow to import

    _check_unpacked(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # A single cell in a far corner must not make rows and columns by the million.
        cells = sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS, values_only=True)
        return _bounded([_written(value) for value in row] for row in cells)
    except Exception as error:  # whatever a damaged file makes the library raise
        raise _refused("no readable workbook", "file-unreadable") from error


def _check_unpacked(data: bytes) -> None:
    """Refuse what grows too large; `zipfile` unpacks no more of a part than its header says."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _refused("too large once unpacked", "file-long")
            tags = 0
            for part in parts:
                text = archive.read(part).replace(b"\0", b"")  # as it were, where it is UTF-16
                here = text.count(b"<")
                tags += here
                if tags > MAX_TAGS or (part.filename == _STYLES and here > MAX_STYLE_TAGS):
                    raise _refused("more in it than any list of people", "file-long")
                if any(word in text for word in _DECLARATION):
                    # Its entities would be written out behind the counting; the format knows none
                    # (ECMA-376, part 2).
                    raise _refused("declares entities", "file-unreadable")
    except _DAMAGED as error:
        raise _refused("a damaged archive", "file-unreadable") from error


def _bounded(rows: Iterable[list[str]]) -> Rows:
    return [_row(row) for row in islice(rows, MAX_ROWS + 2)]


def _row(cells: list[str]) -> list[str]:
    """Return the cells of a row, stripped, up to the last that holds something."""
    row = [cell.strip() for cell in cells[:MAX_COLUMNS]]
    while row and not row[-1]:
        row.pop()
    return row


def _written(value: object) -> str:
    """Return a cell as somebody would type it."""
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _refused(message: str, code: str) -> InputRefused:
    return InputRefused(message, field="file", code=code)
