"""When a group may come: weekly hours, and what becomes of them on days that are unlike others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final, TypeAlias

from access_rules.schedules import WeeklyWindow


class HolidayRule(StrEnum):
    """What a schedule makes of a holiday: nothing, no hours at all, or a weekday's hours."""

    USUAL = "usual"
    CLOSED = "closed"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WEEKDAYS: Final = tuple(HolidayRule)[2:]
"""The rules that name a weekday, Monday first."""

SpecialDays: TypeAlias = Mapping[date, int | None]
"""Days that are unlike others: None for a holiday, else the weekday (0 is Monday) that such a day
counts as, like a Saturday on which a bridging day is made up for."""


class Admission(StrEnum):
    """Whether it is somebody's hour."""

    OPEN = "open"
    OUTSIDE = "outside"
    HOLIDAY = "holiday"
    """It would be, were this day no holiday."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a group may come.

    Attributes:
        windows: Weekly windows in the estate's wall time; none means at any hour of any day.
        on_holidays: What holds on a holiday.
    """

    windows: tuple[WeeklyWindow, ...] = ()
    on_holidays: HolidayRule = HolidayRule.USUAL

    def hold(self, wall: datetime, days: SpecialDays) -> bool:
        """Say whether a wall time is inside."""
        if not self.windows:
            return True
        minute = wall.hour * 60 + wall.minute
        today = self._weekday(wall.date(), days)
        yesterday = self._weekday(wall.date() - timedelta(days=1), days)
        return any(window.covers(minute, today, yesterday) for window in self.windows)

    def _weekday(self, day: date, days: SpecialDays) -> int | None:
        """Return the weekday whose hours a day has; None for no hours."""
        counts_as = days.get(day, day.weekday())
        if counts_as is not None:
            return counts_as
        if self.on_holidays is HolidayRule.USUAL:
            return day.weekday()
        if self.on_holidays is HolidayRule.CLOSED:
            return None
        return WEEKDAYS.index(self.on_holidays)


def admission(hours: Collection[Hours], unix: int, zone: tzinfo, days: SpecialDays) -> Admission:
    """Say whether an absolute time is inside any of some hours.

    Args:
        hours: Of somebody's groups; any one that holds is enough.
        unix: Seconds since 1970.
        zone: The estate's time zone.
        days: The days that are unlike others.
    """
    wall = datetime.fromtimestamp(unix, UTC).astimezone(zone)
    if any(one.hold(wall, days) for one in hours):
        return Admission.OPEN
    no_holidays = {day: counts_as for day, counts_as in days.items() if counts_as is not None}
    if any(one.hold(wall, no_holidays) for one in hours):
        return Admission.HOLIDAY
    return Admission.OUTSIDE
