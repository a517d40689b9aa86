"""A group's hours hold on usual days and on holidays as its schedule says, and no others."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_rules.calendars import (
    WEEKDAYS,
    Admission,
    HolidayRule,
    Hours,
    SpecialDays,
    admission,
)
from access_rules.schedules import EVERY_DAY, WeeklyWindow, within

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = date(2026, 10, 2)
SATURDAY = FRIDAY + timedelta(days=1)
WORKDAYS = WeeklyWindow(0b001_1111, 8 * 60, 18 * 60)
FRIDAY_NIGHT = WeeklyWindow(1 << 4, 22 * 60, 6 * 60)
SUNDAYS = WeeklyWindow(1 << 6, 10 * 60, 12 * 60)


def at(day: date, hour: int, minute: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI).timestamp())


def seen(hours: Hours, unix: int, days: SpecialDays) -> Admission:
    return admission([hours], unix, SHANGHAI, days)


@pytest.mark.parametrize(
    ("rule", "hour", "expected"),
    [
        (HolidayRule.USUAL, 9, Admission.OPEN),
        (HolidayRule.CLOSED, 9, Admission.HOLIDAY),
        (HolidayRule.SUNDAY, 9, Admission.HOLIDAY),
        (HolidayRule.SUNDAY, 11, Admission.OPEN),
        (HolidayRule.CLOSED, 19, Admission.OUTSIDE),
    ],
)
def test_a_schedule_says_what_holds_on_a_holiday(
    rule: HolidayRule, hour: int, expected: Admission
) -> None:
    hours = Hours((WORKDAYS, SUNDAYS), rule)
    assert seen(hours, at(FRIDAY, hour), {FRIDAY: None}) is expected


def test_a_saturday_that_is_worked_has_the_hours_of_the_day_it_counts_as() -> None:
    made_up = {SATURDAY: WEEKDAYS.index(HolidayRule.FRIDAY)}
    for rule in HolidayRule:
        assert seen(Hours((WORKDAYS,), rule), at(SATURDAY, 9), made_up) is Admission.OPEN
        assert seen(Hours((WORKDAYS,), rule), at(SATURDAY, 9), {}) is Admission.OUTSIDE


def test_a_night_belongs_to_the_day_on_which_it_begins_on_holidays_too() -> None:
    hours = Hours((FRIDAY_NIGHT,), HolidayRule.CLOSED)
    assert seen(hours, at(SATURDAY, 5), {SATURDAY: None}) is Admission.OPEN
    assert seen(hours, at(SATURDAY, 5), {FRIDAY: None}) is Admission.HOLIDAY
    assert seen(hours, at(FRIDAY, 23), {FRIDAY: None}) is Admission.HOLIDAY


def test_without_windows_any_hour_of_any_day_will_do() -> None:
    assert seen(Hours((), HolidayRule.CLOSED), at(FRIDAY, 3), {FRIDAY: None}) is Admission.OPEN


def test_of_several_hours_any_one_is_enough_and_none_lets_nobody_in() -> None:
    day, night = Hours((WORKDAYS,)), Hours((FRIDAY_NIGHT,))
    for hour, expected in ((9, Admission.OPEN), (23, Admission.OPEN), (20, Admission.OUTSIDE)):
        assert admission([day, night], at(FRIDAY, hour), SHANGHAI, {}) is expected
    assert admission([], at(FRIDAY, 9), SHANGHAI, {}) is Admission.OUTSIDE


windows = st.builds(
    WeeklyWindow,
    weekdays=st.integers(1, EVERY_DAY),
    start_minute=st.integers(0, 1439),
    end_minute=st.integers(1, 1440),
)
special = st.dictionaries(
    st.dates(date(2026, 9, 28), date(2026, 10, 11)), st.none() | st.integers(0, 6), max_size=5
)
moments = st.integers(at(date(2026, 9, 29), 0), at(date(2026, 10, 10), 23))


@given(st.lists(windows, min_size=1, max_size=4), moments)
def test_on_days_like_any_other_hours_are_the_weekly_windows(
    some: list[WeeklyWindow], unix: int
) -> None:
    hours = Hours(tuple(some), HolidayRule.CLOSED)
    assert (seen(hours, unix, {}) is Admission.OPEN) is within(some, unix, SHANGHAI)


@given(st.lists(windows, min_size=1, max_size=4), special, moments)
def test_a_holiday_that_counts_as_its_own_weekday_changes_nothing(
    some: list[WeeklyWindow], days: SpecialDays, unix: int
) -> None:
    same = {day: day.weekday() for day in days}
    hours = Hours(tuple(some))
    assert seen(hours, unix, same) is seen(hours, unix, {})


@given(st.lists(windows, min_size=1, max_size=4), special, moments)
def test_closing_on_holidays_never_lets_in_whom_the_usual_hours_keep_out(
    some: list[WeeklyWindow], days: SpecialDays, unix: int
) -> None:
    holidays = {day: None for day, counts_as in days.items() if counts_as is None}
    closed = seen(Hours(tuple(some), HolidayRule.CLOSED), unix, holidays)
    usual = seen(Hours(tuple(some)), unix, holidays)
    assert (closed is Admission.OPEN) <= (usual is Admission.OPEN)
    assert (closed is Admission.OUTSIDE) is (usual is not Admission.OPEN)
