"""When a person may come: validity in absolute time, weekly windows in the estate's wall time.

A wall time follows from an absolute time without ambiguity, so daylight saving needs no rule of
its own: an hour that the clocks skip never comes, and an hour that they repeat counts twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

MINUTES_PER_DAY = 24 * 60
EVERY_DAY = 0b111_1111


@dataclass(frozen=True, slots=True)
class Validity:
    """A span of absolute time, in Unix seconds.

    Attributes:
        begins: First second that counts; 0 means since always.
        ends: First second that no longer counts; 0 means without end.
    """

    begins: int = 0
    ends: int = 0

    def __post_init__(self) -> None:
        if self.begins < 0 or self.ends < 0:
            raise ValueError("a validity is given in seconds since 1970")

    def has_begun(self, unix: int) -> bool:
        """Say whether the span has begun at this time."""
        return self.begins <= unix

    def is_over(self, unix: int) -> bool:
        """Say whether the span has ended at this time."""
        return self.ends != 0 and self.ends <= unix


ALWAYS = Validity()


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """A span of wall time on some days of the week.

    A window whose end is not after its start runs across midnight and belongs to the day on which
    it starts: (Friday, 22:00, 06:00) ends on Saturday at six.

    Attributes:
        weekdays: Bit 0 is Monday, bit 6 Sunday; at least one bit.
        start_minute: 0..1439, the first minute inside.
        end_minute: 1..1440, the first minute outside; 1440 is the day's end.
    """

    weekdays: int
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        if not 0 < self.weekdays <= EVERY_DAY:
            raise ValueError("a weekly window names at least one of seven days")
        if not 0 <= self.start_minute < MINUTES_PER_DAY:
            raise ValueError("a window starts between 00:00 and 23:59")
        if not 0 < self.end_minute <= MINUTES_PER_DAY:
            raise ValueError("a window ends between 00:01 and 24:00")

    def contains(self, weekday: int, minute: int) -> bool:
        """Say whether a wall time (weekday 0..6 from Monday, minute 0..1439) is inside."""
        return self.covers(minute, weekday, (weekday - 1) % 7)

    def covers(self, minute: int, today: int | None, yesterday: int | None) -> bool:
        """Say whether a minute is inside, whatever weekdays that day and the one before count as.

        Args:
            minute: Of the day, 0..1439.
            today: 0..6 from Monday; None for a day of which no window begins.
            yesterday: The same of the day before, whose windows may run across midnight.
        """
        if self.start_minute < self.end_minute:
            return self._names(today) and self.start_minute <= minute < self.end_minute
        evening = self._names(today) and minute >= self.start_minute
        morning = self._names(yesterday) and minute < self.end_minute
        return evening or morning

    def _names(self, weekday: int | None) -> bool:
        return weekday is not None and bool(self.weekdays >> weekday & 1)


def within(windows: Iterable[WeeklyWindow], unix: int, zone: tzinfo) -> bool:
    """Say whether an absolute time falls into one of the windows, in the zone's wall time.

    Args:
        windows: The windows; none at all means that any hour will do.
        unix: Seconds since 1970.
        zone: The estate's time zone.
    """
    windows = tuple(windows)
    if not windows:
        return True
    wall = datetime.fromtimestamp(unix, UTC).astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    return any(window.contains(wall.weekday(), minute) for window in windows)
