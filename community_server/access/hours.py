"""Whether it is somebody's hour at each door, by the rule that the doors themselves go by."""

from collections.abc import Collection
from datetime import date, tzinfo

from sqlalchemy.orm import Session

from access_rules.calendars import (
    WEEKDAYS,
    Admission,
    HolidayRule,
    Hours,
    SpecialDays,
    admission,
)
from access_rules.schedules import WeeklyWindow
from community_server.access.groups import Group, load_groups
from community_server.access.holidays import HOLIDAY, list_holidays
from community_server.access.membership import groups_of
from community_server.people.queries import doors_of


def admissions(
    session: Session, person: str, doors: Collection[str], unix: int, zone: tzinfo
) -> dict[str, Admission]:
    """Return whether each of some doors, of those that somebody may use, is open to them at a time.

    Args:
        session: for reads.
        person: whose groups count.
        doors: ids.
        unix: seconds since 1970.
        zone: the estate's.
    """
    own, known = doors_of(session, person), load_groups(session)
    if own:
        return {door: Admission.OPEN for door in doors if door in own}
    groups = [
        known.known[one]
        for one in known.effective(groups_of(session, person), own)
        if one in known.known
    ]
    days = _special_days(session)
    found = {}
    for door in doors:
        hours = [_hours(one) for one in groups if one.names(door)]
        if hours:
            found[door] = admission(hours, unix, zone, days)
    return found


def _hours(group: Group) -> Hours:
    windows = tuple(
        WeeklyWindow(one.weekday_mask, one.start_minute, one.end_minute) for one in group.windows
    )
    return Hours(windows, HolidayRule(group.on_holidays))


def _special_days(session: Session) -> SpecialDays:
    return {
        date.fromisoformat(one.day): None
        if one.counts_as == HOLIDAY
        else WEEKDAYS.index(HolidayRule(one.counts_as))
        for one in list_holidays(session)
    }
