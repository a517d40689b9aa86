"""What the columns of a file mean, in either language; and what each row wants."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from community_server.errors import InputRefused
from community_server.households.service import LONGEST_PART, Home
from community_server.imports.sheets import Rows

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
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

MAX_NAME: Final = 64
MAX_EXTERNAL: Final = 64
PHONE: Final = re.compile(r"\+?[\d\s().-]{5,24}")
EMAIL: Final = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]{1,180}\.[^@\s,;<>.]{1,63}")
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?")
_BETWEEN_GROUPS: Final = re.compile("[;,|/、\uff0c\uff1b]")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row: its number in the file, the column, a code, what was written."""

    line: int
    column: str
    code: str
    written: str = field(default="", repr=False)


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


@dataclass(frozen=True)
class Reading:
    """What a file says: rows, faults of others, and columns that mean nothing here."""

    rows: tuple[Wanted, ...]
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]


def read_rows(rows: Rows, groups: Mapping[str, int], zone: ZoneInfo) -> Reading:
    """Read the rows below the first, which names the columns.

    Args:
        rows: of a file.
        groups: numbers of the access groups by name.
        zone: the estate's: a date means its whole day.

    Raises:
        InputRefused: `columns-missing` (there have to be a name and a unit), `rows-missing`.
    """
    header = [_plain(cell) for cell in rows[0]] if rows else []
    fields = {
        name: header.index(_plain(word))
        for name, words in NAMES.items()
        for word in reversed(words)
        if _plain(word) in header
    }
    if not {"name", "unit"} <= fields.keys():
        raise InputRefused("no name or no unit", field="file", code="columns-missing")
    wanted: list[Wanted] = []
    faults: list[Fault] = []
    for line, row in enumerate(rows[1:], 2):
        if any(row):
            cells = {name: row[at] if at < len(row) else "" for name, at in fields.items()}
            _Row(line, cells, groups, zone).read(wanted, faults)
    if not wanted and not faults:
        raise InputRefused("nobody is in this file", field="file", code="rows-missing")
    meant = set(fields.values())
    ignored = tuple(cell for at, cell in enumerate(rows[0]) if cell and at not in meant)
    kept = _without_doubles(wanted, faults)
    return Reading(tuple(kept), tuple(sorted(faults, key=lambda one: one.line)), ignored)


@dataclass
class _Row:
    line: int
    cells: Mapping[str, str]
    groups: Mapping[str, int]
    zone: ZoneInfo
    faults: list[Fault] = field(default_factory=list)

    def read(self, wanted: list[Wanted], faults: list[Fault]) -> None:
        """Add what the row wants, or what is wrong with it."""
        name, external = self._text("name", MAX_NAME), self._text("external_id", MAX_EXTERNAL)
        if not name:
            self._fault("name", "name-missing")
        home = self._home()
        phone, email = self._matching("phone", PHONE), self._matching("email", EMAIL)
        starts, ends = self._date("valid_from"), self._date("valid_until", whole=True)
        if starts and ends and ends <= starts:
            self._fault("valid_until", "time-over", self.cells["valid_until"])
        groups = self._groups()
        if self.faults:
            faults.extend(self.faults)
            return
        wanted.append(Wanted(self.line, external, name, home, phone, email, groups, starts, ends))

    def _home(self) -> Home:
        building, entrance, unit = (
            self.cells.get(name, "").strip("-") for name in ("building", "entrance", "unit")
        )
        if not unit:
            self._fault("unit", "unit-missing")
        number = f"{entrance}-{unit}" if entrance else unit
        home = Home.of(f"{building}-{number}" if building else number)
        if max(len(home.building), len(home.number)) > LONGEST_PART:
            self._fault("unit", "unit-long", home.unit)
        return home

    def _groups(self) -> frozenset[int] | None:
        found = set()
        for name in filter(None, map(str.strip, _BETWEEN_GROUPS.split(self._cell("groups")))):
            if name in self.groups:
                found.add(self.groups[name])
            else:
                self._fault("groups", "group-unknown", name)
        return frozenset(found) or None

    def _cell(self, name: str) -> str:
        return self.cells.get(name, "")

    def _text(self, name: str, longest: int) -> str:
        text = self._cell(name)
        if len(text) > longest:
            self._fault(name, "text-long", text)
        return text

    def _matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        text = self._cell(name)
        if text and not pattern.fullmatch(text):
            self._fault(name, f"{name}-unreadable", text)
        return text or None

    def _date(self, name: str, *, whole: bool = False) -> int | None:
        """Return the begin of a day, with `whole` its end, in Unix seconds."""
        text = self._cell(name)
        if not text:
            return None
        found = _DATE.fullmatch(text)
        try:
            day = date(*map(int, found.groups())) + timedelta(days=whole) if found else None
        except (ValueError, OverflowError):  # no such day; or the last there is, 9999-12-31
            day = None
        if day is None:
            self._fault(name, "date-unreadable", text)
            return None
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def _fault(self, name: str, code: str, written: str = "") -> None:
        self.faults.append(Fault(self.line, name, code, written))


def _without_doubles(wanted: Sequence[Wanted], faults: list[Fault]) -> list[Wanted]:
    """Return the rows but those that name somebody of an earlier row again."""
    kept: list[Wanted] = []
    seen: dict[tuple[str, ...], int] = {}
    for row in wanted:
        keys: list[tuple[str, ...]] = [(row.home.unit, row.name, row.phone or "")]
        if row.external_id:
            keys = [(row.external_id,)]
        earlier = next((seen[key] for key in keys if key in seen), 0)
        if earlier:
            faults.append(Fault(row.line, "name", "row-twice", str(earlier)))
        else:
            seen.update(dict.fromkeys(keys, row.line))
            kept.append(row)
    return kept


def _plain(text: str) -> str:
    return re.sub(r"[\s_*:\uff1a-]", "", text).casefold()
