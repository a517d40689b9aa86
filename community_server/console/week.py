"""A schedule's week as a picture: for each day which hours, and a row for holidays."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from access_rules.calendars import WEEKDAYS, HolidayRule
from access_rules.schedules import MINUTES_PER_DAY
from community_server.access.schedules import ListedSchedule
from community_server.doors.hours import written
from tier_link.estate_messages import WeeklyWindow

HOLIDAY: Final = "holiday"


@dataclass(frozen=True)
class Bar:
    """Hours of one day, in minutes since midnight."""

    begins: int
    ends: int

    @property
    def text(self) -> str:
        """The hours in figures."""
        return f"{written(self.begins)}-{written(self.ends)}"


@dataclass(frozen=True)
class Row:
    """One day: its name's code, its hours, and whether they are those of another weekday's."""

    day: str
    bars: tuple[Bar, ...]
    like: str = ""

    @property
    def text(self) -> str:
        """The hours in figures; empty where there are none."""
        return ", ".join(bar.text for bar in self.bars)


def draw(schedule: ListedSchedule) -> list[Row]:
    """Return the seven days, and what holds on a holiday."""
    days = [Row(day.value, _bars(schedule.windows, bit)) for bit, day in enumerate(WEEKDAYS)]
    rule = HolidayRule(schedule.on_holidays)
    if rule in WEEKDAYS:
        return [*days, Row(HOLIDAY, days[WEEKDAYS.index(rule)].bars, rule.value)]
    return [*days, Row(HOLIDAY, (), rule.value)]


def _bars(windows: Iterable[WeeklyWindow], day: int) -> tuple[Bar, ...]:
    """Return one day's hours in order, joined where they touch; a night goes on the next day."""
    spans = []
    for one in windows:
        today, yesterday = one.weekday_mask >> day & 1, one.weekday_mask >> (day - 1) % 7 & 1
        across = one.end_minute <= one.start_minute
        if today:
            spans.append((one.start_minute, MINUTES_PER_DAY if across else one.end_minute))
        if yesterday and across:
            spans.append((0, one.end_minute))
    bars: list[Bar] = []
    for begins, ends in sorted(spans):
        if bars and begins <= bars[-1].ends:
            bars[-1] = Bar(bars[-1].begins, max(ends, bars[-1].ends))
        else:
            bars.append(Bar(begins, ends))
    return tuple(bars)
