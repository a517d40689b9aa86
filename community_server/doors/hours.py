"""The hours of a door: minutes of the day, as staff write them and as a terminal is told."""

import re
from typing import Final

from access_rules.schedules import EVERY_DAY, MINUTES_PER_DAY
from tier_link.estate_messages import WeeklyWindow

_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def read_minute(text: object) -> int:
    """Return the minute of the day, 0..1439, that "HH:MM" names.

    Raises:
        ValueError: it is no time of day.
    """
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("a time of day is written as 07:30")
    return int(found[1]) * 60 + int(found[2])


def written(minute: int) -> str:
    """Return a minute of the day as "HH:MM"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def every_day(begins: int, ends: int) -> tuple[WeeklyWindow, ...]:
    """Return the windows of the same hours on each day; none where they begin as they end."""
    if begins == ends:
        return ()
    if begins < ends:
        return (WeeklyWindow(EVERY_DAY, begins, ends),)
    spans = ((begins, MINUTES_PER_DAY), (0, ends))  # across midnight
    return tuple(WeeklyWindow(EVERY_DAY, start, end) for start, end in spans if start < end)
