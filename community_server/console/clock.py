"""Times as the estate's clock shows them, and back from what somebody typed."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from community_server.errors import InputRefused
from tier_kit.language import Language

FIELD_FORMAT: Final = "%Y-%m-%dT%H:%M"
"""What an `<input type="datetime-local">` reads and sends (HTML Living Standard, 2.3.5.5)."""

_CHINESE_WEEKDAYS: Final = "一二三四五六日"


@dataclass(frozen=True)
class EstateClock:
    """Unix seconds in the words of one language and the estate's time zone."""

    zone: ZoneInfo
    language: Language

    def moment(self, unix: float) -> str:
        """Say day and minute: `23 Nov 2026, 21:46`; today only the minute."""
        at = self._local(unix)
        return f"{at:%H:%M}" if self._is_today(at) else f"{self._day(at)} {at:%H:%M}"

    def second(self, unix: float) -> str:
        """Say the second, with the day unless it is today."""
        at = self._local(unix)
        return f"{at:%H:%M:%S}" if self._is_today(at) else f"{self._day(at)} {at:%H:%M:%S}"

    def date(self, day: str) -> str:
        """Say a day that is written `2026-11-25`, with its weekday: `Wed, 25 Nov 2026`."""
        at = datetime.fromisoformat(day)
        if self.language == "zh-CN":
            return f"{self._day(at)} 周{_CHINESE_WEEKDAYS[at.weekday()]}"
        return f"{at:%a}, {self._day(at)}"

    def full(self, unix: float) -> str:
        """Say day and minute, also of today: what is printed is read on another day."""
        at = self._local(unix)
        return f"{self._day(at)} {at:%H:%M}"

    def clock(self, unix: float) -> str:
        """Say the minute alone."""
        return f"{self._local(unix):%H:%M}"

    def now(self) -> float:
        """Return this moment in Unix seconds."""
        return time.time()

    def offset(self, unix: float) -> str:
        """Say how far the estate's clock is from UTC at a moment: `UTC+8`, `UTC-3:30`."""
        minutes = int((self._local(unix).utcoffset() or timedelta()).total_seconds()) // 60
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")

    def zone_name(self) -> str:
        """Name the estate's zone and its offset now: `Asia/Shanghai (UTC+8)`."""
        return f"{self.zone.key} ({self.offset(time.time())})"

    def iso(self, unix: float) -> str:
        """Return it for `<time datetime>`, with the zone's offset."""
        return self._local(unix).isoformat(timespec="seconds")

    def field(self, unix: float) -> str:
        """Return it as a date field's value."""
        return f"{self._local(unix):{FIELD_FORMAT}}"

    def _day(self, at: datetime) -> str:
        if self.language == "zh-CN":
            return f"{at.year}年{at.month}月{at.day}日"
        return f"{at.day} {at:%b} {at.year}"

    def _is_today(self, at: datetime) -> bool:
        return at.date() == self._local(time.time()).date()

    def _local(self, unix: float) -> datetime:
        return datetime.fromtimestamp(unix, self.zone)


def read_field(zone: ZoneInfo, text: str, field: str) -> int:
    """Return the Unix seconds of a date field's value, 0 for an empty one.

    Raises:
        InputRefused: `time-unreadable`.
    """
    if not text.strip():
        return 0
    try:
        unix = int(datetime.fromisoformat(text.strip()).replace(tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        unix = -1
    if unix < 0:
        raise InputRefused("this is not a date and time", field=field, code="time-unreadable")
    return unix


def read_day(zone: ZoneInfo, text: str, field: str) -> int:
    """Return the Unix seconds at which the day of a date field ends.

    Raises:
        InputRefused: `time-unreadable`.
    """
    try:
        day = datetime.fromisoformat(text.strip()).replace(tzinfo=zone)
        return int((day + timedelta(days=1)).timestamp())
    except (ValueError, OverflowError) as error:
        raise InputRefused("this is not a date", field=field, code="time-unreadable") from error


def usual_visit(zone: ZoneInfo) -> tuple[int, int]:
    """Return a visit's usual span: from now to the end of the estate's day, at least 4 hours."""
    now = datetime.now(zone).replace(second=0, microsecond=0)
    end = max(now + timedelta(hours=4), now.replace(hour=22, minute=0))
    return int(now.timestamp()), int(end.timestamp())
