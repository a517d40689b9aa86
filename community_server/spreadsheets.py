"""Tables for spreadsheet programs, as streams: CSV, and XLSX (ISO/IEC 29500) without a file.

Rows are taken one by one and sent on, so that a million of them need no memory, and what names
people never lies in a temporary file.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

Cell = str | int | float | datetime
"""A `datetime` is wall-clock time; its zone is not carried over."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet program would run instead of show (CWE-1236)."""
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DAY: Final = 86400
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 -- day 0 of spreadsheets' wall-clock serials
SHEET_ROWS: Final = 1_048_576
"""Rows of one sheet; what goes beyond begins another one."""
_CHUNK: Final = 64 * 1024


def csv_stream(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield a CSV (RFC 4180) in UTF-8, with the mark by which spreadsheet programs know it."""
    text = io.StringIO(newline="")
    text.write("\ufeff")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
        if text.tell() >= _CHUNK:
            yield _taken(text)
    yield _taken(text)


def _plain(cell: Cell) -> str | int | float:
    match cell:
        case datetime():
            return cell.strftime("%Y-%m-%d %H:%M:%S")
        case str() if cell.startswith(_FORMULA):
            return "'" + cell
    return cell


def _taken(text: io.StringIO) -> bytes:
    data = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return data


class Pipe:
    """What `zipfile` writes to: it cannot go back, so every byte can be sent at once."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take what is to be sent."""
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """Return what has come since the last time."""
        data = b"".join(self._written)
        self._written.clear()
        return data


def xlsx_stream(rows: Iterable[Sequence[Cell]], widths: Sequence[int]) -> Iterator[bytes]:
    """Yield an XLSX of one sheet, or of as many as it takes; the first row is its heading.

    Args:
        rows: the heading, then the rest.
        widths: of the columns, in characters.
    """
    pipe, waiting, sheets = Pipe(), iter(rows), 0
    head, row = next(waiting), next(waiting, None)
    # Speed matters more than size: a million rows are compressed while somebody waits.
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]  # a pipe is enough
        while row is not None or not sheets:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w") as sheet:
                sheet.write(_sheet_begin(widths))
                sheet.write(_row(head, bold=True))
                written = 1
                while row is not None and written < SHEET_ROWS:
                    sheet.write(_row(row))
                    row, written = next(waiting, None), written + 1
                    if data := pipe.take():
                        yield data
                sheet.write(b"</sheetData></worksheet>")
        for name, text in _rest(sheets):
            archive.writestr(name, _XML + text)
    yield pipe.take()


_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164"'
    ' formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font/><font><b/></font>'
    '</fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill'
    ' patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf xfId="0"/>'
    '<xf numFmtId="164" xfId="0" applyNumberFormat="1"/><xf fontId="1" xfId="0" applyFont="1"/>'
    "</cellXfs></styleSheet>"
)


def _sheet_begin(widths: Sequence[int]) -> bytes:
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>'
        for n, width in enumerate(widths, 1)
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane'
        ' ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
        f"</sheetViews><cols>{columns}</cols><sheetData>"
    ).encode()


def _row(cells: Sequence[Cell], *, bold: bool = False) -> bytes:
    style = ' s="2"' if bold else ""
    written = "".join(_cell(cell, style) for cell in cells)
    return f"<row>{written}</row>".encode()


def _cell(cell: Cell, style: str) -> str:
    match cell:
        case "":
            return "<c/>"
        case str():
            text = escape(_NOT_XML.sub("", cell))
            return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{text}</t></is></c>'
        case datetime():
            serial = (cell.replace(tzinfo=None) - _EPOCH).total_seconds() / _DAY
            return f'<c s="1"><v>{serial:.9f}</v></c>'
    return f"<c><v>{cell}</v></c>"


def _rest(sheets: int) -> Iterator[tuple[str, str]]:
    """Yield the parts that name the others; they may come last."""
    numbers = range(1, sheets + 1)
    listed = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    parts = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_SHEET}.worksheet+xml"/>'
        for n in numbers
    )
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
    )
    yield "xl/styles.xml", _STYLES
    yield (
        "xl/_rels/workbook.xml.rels",
        (
            f'<Relationships xmlns="{_PACKAGE}/relationships">{parts}<Relationship Id="rIdS"'
            f' Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
    )
    yield (
        "_rels/.rels",
        (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
    )
    yield (
        "[Content_Types].xml",
        (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName='
            f'"/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/><Override PartName='
            f'"/xl/styles.xml" ContentType="{_SHEET}.styles+xml"/>{types}</Types>'
        ),
    )
