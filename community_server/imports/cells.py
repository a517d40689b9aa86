"""Rows of a file as cells by column: what every list reads of them, and what it refuses."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from community_server.errors import InputRefused
from community_server.imports.sheets import Rows

MAX_NAME: Final = 64
MAX_EXTERNAL: Final = 64
PHONE: Final = re.compile(r"\+?[\d\s().-]{5,24}")
EMAIL: Final = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]{1,180}\.[^@\s,;<>.]{1,63}")
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?")
_BETWEEN_GROUPS: Final = re.compile("[;,|/、\uff0c\uff1b]")

Names = Mapping[str, tuple[str, ...]]
"""Fields by the names of columns that mean them; the first two head the template."""
W = TypeVar("W")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row: its number in the file, the column, a code, what was written."""

    line: int
    column: str
    code: str
    written: str = field(default="", repr=False)


@dataclass(frozen=True)
class Reading(Generic[W]):
    """What a file says: rows, faults of others, and columns that mean nothing here."""

    rows: tuple[W, ...]
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]


@dataclass
class Cells:
    """One row's cells by field; whatever cannot be read of them is noted in `faults`.

    `groups` are the numbers of access groups by name; a date means its whole day in `zone`.
    """

    line: int
    cells: Mapping[str, str]
    groups: Mapping[str, int]
    zone: ZoneInfo
    faults: list[Fault] = field(default_factory=list)

    def cell(self, name: str) -> str:
        """Return what stands in a field, empty where there is no such column."""
        return self.cells.get(name, "")

    def text(self, name: str, longest: int) -> str:
        """Return a text of at most so many characters."""
        text = self.cell(name)
        if len(text) > longest:
            self.fault(name, "text-long", text)
        return text

    def name(self) -> str:
        """Return the name, which has to be there."""
        name = self.text("name", MAX_NAME)
        if not name:
            self.fault("name", "name-missing")
        return name

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """Return a text of some form; None for an empty one."""
        text = self.cell(name)
        if text and not pattern.fullmatch(text):
            self.fault(name, f"{name}-unreadable", text)
        return text or None

    def span(self) -> tuple[int | None, int | None]:
        """Return from when until when, in Unix seconds; None where nothing stands."""
        starts, ends = self._date("valid_from"), self._date("valid_until", whole=True)
        if starts and ends and ends <= starts:
            self.fault("valid_until", "time-over", self.cell("valid_until"))
        return starts, ends

    def access_groups(self) -> frozenset[int] | None:
        """Return the numbers of the access groups that are named; None where none are."""
        found = set()
        for name in filter(None, map(str.strip, _BETWEEN_GROUPS.split(self.cell("groups")))):
            if name in self.groups:
                found.add(self.groups[name])
            else:
                self.fault("groups", "group-unknown", name)
        return frozenset(found) or None

    def fault(self, name: str, code: str, written: str = "") -> None:
        """Note that a field cannot be used."""
        self.faults.append(Fault(self.line, name, code, written))

    def _date(self, name: str, *, whole: bool = False) -> int | None:
        """Return the begin of a day, with `whole` its end, in Unix seconds."""
        text = self.cell(name)
        if not text:
            return None
        found = _DATE.fullmatch(text)
        try:
            day = date(*map(int, found.groups())) + timedelta(days=whole) if found else None
        except (ValueError, OverflowError):  # no such day; or the last there is, 9999-12-31
            day = None
        if day is None:
            self.fault(name, "date-unreadable", text)
            return None
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())


def read_table(
    rows: Rows,
    names: Names,
    needed: Iterable[str],
    groups: Mapping[str, int],
    zone: ZoneInfo,
    read: Callable[[Cells], W],
    key: Callable[[W], tuple[str, ...]],
) -> Reading[W]:
    """Read the rows below the first, which names the columns.

    Args:
        rows: Of a file.
        names: The fields that there may be.
        needed: Those without which a file means nothing.
        groups: Numbers of the access groups by name.
        zone: The estate's: a date means its whole day.
        read: Makes a value of one row; it counts if the cells have no faults afterwards.
        key: What two rows have in common that mean the same person.

    Raises:
        InputRefused: `columns-missing`, `rows-missing`.
    """
    header = [_plain(cell) for cell in rows[0]] if rows else []
    fields = {
        name: header.index(_plain(word))
        for name, words in names.items()
        for word in reversed(words)
        if _plain(word) in header
    }
    if not set(needed) <= fields.keys():
        raise InputRefused("a column is missing", field="file", code="columns-missing")
    wanted: list[tuple[int, W]] = []
    faults: list[Fault] = []
    for line, row in enumerate(rows[1:], 2):
        if any(row):
            cells = {name: row[at] if at < len(row) else "" for name, at in fields.items()}
            one = Cells(line, cells, groups, zone)
            value = read(one)
            faults.extend(one.faults)
            if not one.faults:
                wanted.append((line, value))
    if not wanted and not faults:
        raise InputRefused("nobody is in this file", field="file", code="rows-missing")
    meant = set(fields.values())
    ignored = tuple(cell for at, cell in enumerate(rows[0]) if cell and at not in meant)
    kept = _without_doubles(wanted, key, faults)
    return Reading(tuple(kept), tuple(sorted(faults, key=lambda one: one.line)), ignored)


def _without_doubles(
    wanted: Sequence[tuple[int, W]], key: Callable[[W], tuple[str, ...]], faults: list[Fault]
) -> list[W]:
    """Return the rows but those that name somebody of an earlier row again."""
    kept: list[W] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, row in wanted:
        earlier = seen.setdefault(key(row), line)
        if earlier != line:
            faults.append(Fault(line, "name", "row-twice", str(earlier)))
        else:
            kept.append(row)
    return kept


def _plain(text: str) -> str:
    return re.sub(r"[\s_*:\uff1a-]", "", text).casefold()
