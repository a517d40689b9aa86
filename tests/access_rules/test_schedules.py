"""Schedules mean what a wall clock in the estate shows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_rules.schedules import EVERY_DAY, Validity, WeeklyWindow, within

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")

FRIDAY_NIGHT = WeeklyWindow(weekdays=1 << 4, start_minute=22 * 60, end_minute=6 * 60)

windows = st.builds(
    WeeklyWindow,
    weekdays=st.integers(1, EVERY_DAY),
    start_minute=st.integers(0, 1439),
    end_minute=st.integers(1, 1440),
)
moments = st.integers(0, 4_000_000_000)


def unix(year: int, month: int, day: int, hour: int, minute: int, zone: ZoneInfo) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("day", "hour", "minute", "inside"),
    [
        (20, 21, 59, False),  # Friday, 20 November 2026
        (20, 22, 0, True),
        (21, 5, 59, True),
        (21, 6, 0, False),
        (21, 23, 0, False),  # Saturday night is not Friday night
        (20, 5, 0, False),  # nor is Friday's own morning
    ],
)
def test_a_window_across_midnight_belongs_to_the_day_it_starts(
    day: int, hour: int, minute: int, *, inside: bool
) -> None:
    at = unix(2026, 11, day, hour, minute, SHANGHAI)
    assert within((FRIDAY_NIGHT,), at, SHANGHAI) is inside


def test_a_sunday_night_window_runs_into_monday() -> None:
    window = WeeklyWindow(weekdays=1 << 6, start_minute=23 * 60, end_minute=60)
    assert within((window,), unix(2026, 11, 23, 0, 30, SHANGHAI), SHANGHAI)


def test_an_hour_that_the_clocks_skip_never_comes() -> None:
    window = WeeklyWindow(EVERY_DAY, 2 * 60, 3 * 60)
    start = unix(2026, 3, 29, 0, 0, BERLIN)
    assert not any(within((window,), start + 60 * step, BERLIN) for step in range(23 * 60))


def test_an_hour_that_the_clocks_repeat_counts_twice() -> None:
    window = WeeklyWindow(EVERY_DAY, 2 * 60, 3 * 60)
    start = unix(2026, 10, 25, 0, 0, BERLIN)
    inside = sum(within((window,), start + 60 * step, BERLIN) for step in range(25 * 60))
    assert inside == 120


def test_a_night_shift_is_an_hour_shorter_when_clocks_go_forward() -> None:
    window = WeeklyWindow(1 << 5, 22 * 60, 6 * 60)
    start = unix(2026, 3, 28, 12, 0, BERLIN)
    inside = sum(within((window,), start + 60 * step, BERLIN) for step in range(24 * 60))
    assert inside == 7 * 60


def test_no_window_means_any_hour() -> None:
    assert within((), 0, SHANGHAI)


@given(window=windows, at=moments)
def test_a_window_equals_the_minutes_it_lists(window: WeeklyWindow, at: int) -> None:
    """Against a plainer model: walk the window minute by minute from each of its days."""
    length = (window.end_minute - window.start_minute) % 1440 or 1440
    listed = {
        ((day * 1440) + window.start_minute + step) % (7 * 1440)
        for day in range(7)
        if window.weekdays >> day & 1
        for step in range(length)
    }
    wall = datetime.fromtimestamp(at, UTC).astimezone(BERLIN)
    minute_of_week = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
    assert within((window,), at, BERLIN) is (minute_of_week in listed)


@given(window=windows, other=windows, at=moments)
def test_one_more_window_never_takes_time_away(
    window: WeeklyWindow, other: WeeklyWindow, at: int
) -> None:
    if within((window,), at, SHANGHAI):
        assert within((window, other), at, SHANGHAI)


@given(begins=moments, length=st.integers(1, 10**9), at=moments)
def test_a_validity_holds_from_its_first_second_to_before_its_end(
    begins: int, length: int, at: int
) -> None:
    span = Validity(begins, begins + length)
    assert (span.has_begun(at) and not span.is_over(at)) is (begins <= at < begins + length)


@pytest.mark.parametrize(
    ("weekdays", "start", "end"),
    [(0, 0, 60), (128, 0, 60), (1, -1, 60), (1, 1440, 60), (1, 0, 0), (1, 0, 1441)],
)
def test_a_window_that_means_nothing_is_refused(weekdays: int, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="window"):
        WeeklyWindow(weekdays, start, end)


def test_a_validity_before_1970_is_refused() -> None:
    with pytest.raises(ValueError, match="1970"):
        Validity(begins=int(timedelta(days=-1).total_seconds()))
