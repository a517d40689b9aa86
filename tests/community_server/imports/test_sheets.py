"""Files come as offices write them; what is no file of people is refused in words, and quickly."""

import io
import random
import time
import zipfile
from collections.abc import Callable
from datetime import datetime

import pytest
from openpyxl import Workbook

from community_server.errors import InputRefused
from community_server.imports.sheets import MAX_CELL, MAX_FILE, MAX_ROWS, read_sheet
from community_server.imports.template import write_template

ROWS = [["姓名", "房号", "电话"], ["张三", "3-502", "13800138000"], ["李, 四", "0301"]]


def csv_text(separator: str) -> str:
    def cell(text: str) -> str:
        return f'"{text}"' if separator in text else text

    return "\r\n".join(separator.join(map(cell, row)) for row in ROWS)


def workbook(*rows: list[object], corner: str = "") -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if corner:
        sheet[corner] = "x"
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_the_encodings_and_with_the_separators_of_offices(
    separator: str, encoding: str
) -> None:
    assert read_sheet(csv_text(separator).encode(encoding)) == ROWS


def test_a_workbook_is_read_as_it_would_be_typed() -> None:
    data = workbook(
        ["姓名", "房号", "电话", "开始日期"],
        ["张三", "0301", 13800138000, datetime(2027, 1, 31)],  # noqa: DTZ001 - as Excel has it
        ["李四", 12.5, None, True],
    )
    assert read_sheet(data)[1:] == [
        ["张三", "0301", "13800138000", "2027-01-31"],
        ["李四", "12.5", "", "True"],
    ]


def refusal(data: bytes) -> str:
    with pytest.raises(InputRefused) as refused:
        read_sheet(data)
    assert refused.value.field == "file"
    return refused.value.code


def repacked(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook in which one part was changed."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(["name", "unit"], ["A", "1"]))) as whole,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for part in whole.namelist():
            text = whole.read(part)
            changed.writestr(part, change(text) if part == name else text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("part", "before", "tag"),
    [
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b"<row/>"),
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b"<row><c/></row>"),
        ("xl/styles.xml", b"</cellXfs>", b"<xf/>"),
    ],
)
def test_a_small_file_that_unpacks_to_a_million_tags_is_refused_soon(
    part: str, before: bytes, tag: bytes
) -> None:
    """Read by the library, 32 MiB of them take up to three minutes and four gigabytes."""
    bomb = repacked(part, lambda text: text.replace(before, tag * 1_000_000 + before))
    assert len(bomb) < MAX_FILE
    began = time.process_time()
    assert refusal(bomb) == "file-long"
    assert time.process_time() - began < 1.0


def test_a_workbook_that_declares_entities_is_refused() -> None:
    entity = b'<!DOCTYPE x [<!ENTITY a "<row><c/></row>">]><worksheet'
    for encoding in ("utf-8", "utf-16"):
        bomb = repacked(
            "xl/worksheets/sheet1.xml",
            lambda text, encoding=encoding: (  # type: ignore[misc]  # a default is typed nowhere
                text.replace(b"<worksheet", entity, 1).decode().encode(encoding)
            ),
        )
        assert refusal(bomb) == "file-unreadable"


def test_a_list_as_long_as_may_be_is_read() -> None:
    rows: list[list[object]] = [
        [f"{column} {row}" for column in range(10)] for row in range(MAX_ROWS)
    ]
    assert len(read_sheet(workbook(*rows))) == MAX_ROWS


def test_a_cell_in_a_far_corner_makes_no_million_columns() -> None:
    rows = read_sheet(workbook(["name", "unit"], ["A", "1"], corner="XFD1048576"))
    assert [row[:2] for row in rows] == [["name", "unit"], ["A", "1"]]


def bomb(size: int) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * size)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file-empty"),
        (b"\n \n", "file-empty"),
        (b"x" * (MAX_FILE + 1), "file-long"),
        (bomb(40_000_000), "file-long"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "file-old"),
        (b"PK\3\4 and nothing else", "file-unreadable"),
        (bomb(10), "file-unreadable"),
        (b"name,unit\n\0,1", "file-unreadable"),
        (b'name,unit\n"A"x,1', "file-unreadable"),
        (b"name\n" + b"x" * (MAX_CELL + 1), "file-unreadable"),
        (b"\xff\xfe\x00", "file-unreadable"),
        (b"n\n" * (MAX_ROWS + 2), "rows-too-many"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_damaged_workbooks_are_refused_and_end_nothing() -> None:
    whole, chance = workbook(["name", "unit"], ["A", "1"]), random.Random(7)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(4, len(damaged))] = chance.randrange(256)
        try:
            read_sheet(bytes(damaged[: chance.randint(len(damaged) // 2, len(damaged))]))
        except InputRefused:
            continue


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_template_is_a_file_that_can_be_read(language: str) -> None:
    header, example = read_sheet(write_template(language))  # type: ignore[arg-type]  # of LANGUAGES
    assert ("name" if language == "en" else "姓名") in header
    assert example[4] == "502"
