"""Days that are unlike others: typed, or read from a list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.calendars import WEEKDAYS
from community_server.access.tables import Holiday
from community_server.change import Change
from community_server.errors import InputRefused, NotFound
from tier_link.estate_messages import MOST_DAYS, SpecialDay, Weekday

HOLIDAY: Final = "holiday"
COUNTS_AS: Final = (HOLIDAY, *(day.value for day in WEEKDAYS))
MOST_LINES: Final = 400
"""Lines of one list: some years at once."""
_LINE: Final = re.compile(r"\s*(\d{4})\D(\d{1,2})\D(\d{1,2})日?\W*(.*?)\s*")


@dataclass(frozen=True)
class Day:
    """One day: its date as YYYY-MM-DD, its name, and what it counts as."""

    day: str
    name: str
    counts_as: str


def list_holidays(session: Session, since: str = "") -> list[Day]:
    """Return the days from a date on, in order."""
    rows = session.scalars(select(Holiday).where(Holiday.day >= since).order_by(Holiday.day))
    return [Day(row.day, row.name, row.counts_as) for row in rows]


def special_days(session: Session, since: date) -> tuple[SpecialDay, ...]:
    """Return what doors are told of the days from a date on."""
    return tuple(
        SpecialDay(one.day, cast("Literal['holiday'] | Weekday", one.counts_as))
        for one in list_holidays(session, since.isoformat())[:MOST_DAYS]
    )


def read_days(text: str, counts_as: str = HOLIDAY) -> list[Day]:
    """Read a list of days: one on each line, first the date, then its name.

    Raises:
        InputRefused: `days-missing`, `day-unreadable` with the number of the line,
            `days-too-many`.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise InputRefused("no day is named", field="days", code="days-missing")
    if len(lines) > MOST_LINES:
        raise InputRefused("too long a list", field="days", code="days-too-many")
    return [_read_line(number, line, counts_as) for number, line in lines]


def put_days(change: Change, days: Sequence[Day]) -> None:
    """Add days, in place of what was known of the same dates.

    Raises:
        InputRefused: `days-too-many`.
    """
    for one in days:
        change.session.merge(Holiday(day=one.day, name=one.name, counts_as=one.counts_as))
    change.session.flush()
    if len(list_holidays(change.session)) > MOST_DAYS:
        raise InputRefused("doors keep no more days", field="days", code="days-too-many")
    change.reconfigure()


def remove_day(change: Change, day: str) -> None:
    """Make a day one like any other.

    Raises:
        NotFound: `holiday-unknown`.
    """
    row = change.session.get(Holiday, day)
    if row is None:
        raise NotFound("this day is not on the list", code="holiday-unknown")
    change.session.delete(row)
    change.session.flush()
    change.reconfigure()


def _read_line(number: int, line: str, counts_as: str) -> Day:
    found = _LINE.fullmatch(line)
    day = _date(*found.group(1, 2, 3)) if found else None
    if found is None or day is None:
        raise InputRefused(
            f"line {number} does not begin with a date", field="days", code="day-unreadable"
        )
    return Day(day.isoformat(), found[4][:64], counts_as)


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
