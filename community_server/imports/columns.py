"""A list of residents: what its columns mean, in either language; and what each row wants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from community_server.households.service import LONGEST_PART, Home
from community_server.imports.cells import (
    EMAIL,
    MAX_EXTERNAL,
    PHONE,
    Cells,
    Names,
    Reading,
    read_table,
)
from community_server.imports.sheets import Rows
from community_server.people.particulars import Known
from community_server.people.tables import Person

NAMES: Final[Names] = {
    "external_id": ("external id", "外部编号", "id", "编号", "人员编号"),
    "name": ("name", "姓名", "full name", "名字", "业主姓名"),
    "building": ("building", "楼栋", "block", "楼号", "栋", "楼"),
    "entrance": ("entrance", "单元"),
    "unit": ("unit", "房号", "room", "apartment", "flat", "室", "房间号", "室号"),
    "phone": ("phone", "电话", "mobile", "手机", "手机号", "手机号码", "联系电话"),
    "email": ("e-mail", "邮箱", "email", "电子邮箱", "电子邮件"),
    "groups": ("access groups", "权限组", "groups", "group"),
    "valid_from": ("valid from", "开始日期", "from", "生效日期", "入住日期"),
    "valid_until": ("valid until", "截止日期", "until", "结束日期", "失效日期"),
}
"""Fields by the names of columns that mean them; the first two head the template."""


@dataclass(frozen=True)
class Wanted:
    """One row; what it leaves out (None, or an empty id) stays as it is."""

    line: int
    external_id: str
    name: str = field(repr=False)
    home: Home
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    groups: frozenset[int] | None
    valid_from: int | None
    valid_until: int | None

    @property
    def unit(self) -> str:
        """Where they live."""
        return self.home.unit

    @property
    def company(self) -> str:
        """Nobody's worker."""
        return ""

    @property
    def place(self) -> str:
        """Where there is one person of a name and a phone."""
        return self.home.unit

    @property
    def area(self) -> str:
        """What of the estate the file is about."""
        return self.home.building

    def texts(self, row: Person, known: Known) -> Iterable[tuple[str, str, str | None]]:
        """Return each text by its column: as it is, and as it is wanted."""
        yield "external_id", row.external_id or "", self.external_id or None
        yield "name", known.name, self.name
        yield "unit", row.unit, self.home.unit
        yield "phone", known.phone, self.phone
        yield "email", known.email, self.email


def read_rows(rows: Rows, groups: Mapping[str, int], zone: ZoneInfo) -> Reading[Wanted]:
    """Read a list of residents.

    Args:
        rows: Of a file.
        groups: Numbers of the access groups by name.
        zone: The estate's: a date means its whole day.

    Raises:
        InputRefused: `columns-missing` (there have to be a name and a unit), `rows-missing`.
    """
    return read_table(rows, NAMES, ("name", "unit"), groups, zone, _read, _key)


def _read(row: Cells) -> Wanted:
    name, external = row.name(), row.text("external_id", MAX_EXTERNAL)
    home = _home(row)
    phone, email = row.matching("phone", PHONE), row.matching("email", EMAIL)
    starts, ends = row.span()
    groups = row.access_groups()
    return Wanted(row.line, external, name, home, phone, email, groups, starts, ends)


def _home(row: Cells) -> Home:
    building, entrance, unit = (
        row.cell(name).strip("-") for name in ("building", "entrance", "unit")
    )
    if not unit:
        row.fault("unit", "unit-missing")
    number = f"{entrance}-{unit}" if entrance else unit
    home = Home.of(f"{building}-{number}" if building else number)
    if max(len(home.building), len(home.number)) > LONGEST_PART:
        row.fault("unit", "unit-long", home.unit)
    return home


def _key(row: Wanted) -> tuple[str, ...]:
    return (row.external_id,) if row.external_id else (row.place, row.name, row.phone or "")
