"""A list of people, CSV or XLSX: `community_server.imports`, to the rows that it would write."""

import io
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from openpyxl import Workbook

from community_server.errors import InputRefused
from community_server.imports.columns import read_rows
from community_server.imports.sheets import read_sheet
from community_server.imports.worker_columns import read_workers
from tests.fuzz.gate import Gate

_ZONE: Final = ZoneInfo("Asia/Shanghai")
_GROUPS: Final = {"All": 1, "Pool": 2}
_HEAD: Final = ("external id", "name", "building", "unit", "phone", "groups", "valid until")
_ROW: Final = ("7", "林安", "3", "1-1201", "+86 138 0000 0000", "All", "2027-01-31")


def one(data: bytes) -> None:
    rows = read_sheet(data)
    try:
        read_workers(rows, _GROUPS, {"Swift": "c1"}, _ZONE)
    except InputRefused:  # a list of residents, if anything
        read_rows(rows, _GROUPS, _ZONE)


def workbook() -> bytes:
    book, file = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    sheet.append(_HEAD)
    sheet.append(_ROW)
    book.save(file)
    return file.getvalue()


def seeds() -> Sequence[bytes]:
    text = "\n".join(map(",".join, (_HEAD, _ROW)))
    tabs = "姓名\t房号\t截止日期\n林安\t3-1201\t2027年1月31日\n"
    return [
        text.encode("utf-8-sig"),
        text.replace(",", ";").encode("gb18030"),
        tabs.encode("utf-16"),
        "姓名,公司,车牌号\n王伟,swift,沪B1\n".encode(),
        workbook(),
    ]


GATE = Gate(one, seeds, (InputRefused,), most=16_384)
