"""Sums over the counts by the hour; they stay when the entries themselves are gone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from access_rules.decision import DecisionReason
from access_rules.people import Credential
from community_server.entries.hours import DAY, HOUR, INSIDE, OTHERS, spans_of_offset
from community_server.entries.tables import EntryHour

HOURS: Final = 24
DAYS: Final = 7
_FIRST_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday: three days after a Monday."""

UNSEEN: Final = (DecisionReason.NOT_RECOGNIZED.value, DecisionReason.FACE_UNCLEAR.value)
"""Refusals that a badly lit camera makes more of."""
ENOUGH: Final = 20
"""Faces in an hour of the day, over all days looked at: a rate of fewer says nothing."""
BAD_RATE: Final = 0.15
"""Refused faces in an hour of the day that are worth a look ..."""
BAD_RATIO: Final = 2.5
"""... if they are so many times what the door refuses at its better hours."""


@dataclass(frozen=True)
class Window:
    """Which hours are summed up, in Unix seconds, and at which door; empty for all."""

    since: int
    until: int
    zone: ZoneInfo
    door: str = ""

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return its conditions on the counts."""
        found = [EntryHour.hour >= self.since, EntryHour.hour < self.until]
        return [*found, EntryHour.door_id == self.door] if self.door else found


@dataclass(frozen=True)
class Share:
    """How many were let in and refused."""

    granted: int = 0
    refused: int = 0


@dataclass(frozen=True)
class FaceHours:
    """What one door made of faces in each hour of the day: how many, and how many it refused."""

    door: str
    seen: tuple[int, ...]
    refused: tuple[int, ...]

    def rate(self, hour: int) -> float:
        """Return the share refused in an hour of the day, 0 for an hour without faces."""
        return self.refused[hour] / self.seen[hour] if self.seen[hour] else 0.0

    @property
    def usual(self) -> float:
        """The share refused at the better half of the hours that have enough faces."""
        rates = sorted(self.rate(hour) for hour in range(HOURS) if self.seen[hour] >= ENOUGH)
        better = rates[: (len(rates) + 1) // 2]
        return sum(better) / len(better) if better else 0.0

    @property
    def bad(self) -> tuple[int, ...]:
        """The hours in which strikingly many are refused: look at the light."""
        bound = max(BAD_RATE, BAD_RATIO * self.usual)
        return tuple(
            hour for hour in range(HOURS) if self.seen[hour] >= ENOUGH and self.rate(hour) >= bound
        )


def by_weekday_and_hour(session: Session, window: Window) -> list[list[int]]:
    """Return entries by weekday, Monday first, and by hour of the estate's day."""
    table = [[0] * HOURS for _ in range(DAYS)]
    for offset, clauses in _parts(window):
        weekday = ((EntryHour.hour + offset) // DAY + _FIRST_WEEKDAY) % DAYS
        hour = _hour_of_day(offset)
        summed = func.sum(EntryHour.count)
        rows = session.execute(
            select(weekday, hour, summed).where(*clauses).group_by(weekday, hour)
        )
        for row, column, count in rows:
            table[row][column] += int(count)
    return table


def by_door(session: Session, window: Window) -> dict[str, Share]:
    """Return how often each door was opened and refused."""
    return _shares(session, window, EntryHour.door_id)


def by_category(session: Session, window: Window) -> dict[str, Share]:
    """Return the same for each kind of people; who is known of none is one of two kinds."""
    nobody = case((EntryHour.credential == Credential.NONE.value, INSIDE), else_=OTHERS)
    return _shares(
        session, window, case((EntryHour.category == "", nobody), else_=EntryHour.category)
    )


def by_reason(session: Session, window: Window) -> dict[str, int]:
    """Return refusals by reason, the most frequent first."""
    summed = func.sum(EntryHour.count)
    rows = session.execute(
        select(EntryHour.reason, summed)
        .where(*window.clauses(), ~EntryHour.granted)
        .group_by(EntryHour.reason)
        .order_by(summed.desc(), EntryHour.reason)
    )
    return {reason: int(count) for reason, count in rows}


def faces_by_hour(session: Session, window: Window) -> list[FaceHours]:
    """Return for each door how many faces it saw and refused in each hour of the day."""
    face = EntryHour.credential == Credential.FACE.value
    unseen = case((EntryHour.reason.in_(UNSEEN), EntryHour.count), else_=0)
    seen, refused = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for offset, clauses in _parts(window):
        hour = _hour_of_day(offset)
        query = (
            select(EntryHour.door_id, hour, func.sum(EntryHour.count), func.sum(unseen))
            .where(*clauses, face)
            .group_by(EntryHour.door_id, hour)
        )
        for door, at, all_, some in session.execute(query):
            seen[door, at] += int(all_)
            refused[door, at] += int(some)
    return [
        FaceHours(
            door,
            tuple(seen[door, hour] for hour in range(HOURS)),
            tuple(refused[door, hour] for hour in range(HOURS)),
        )
        for door in sorted({door for door, _ in seen})
    ]


def used_by_hour(session: Session, window: Window) -> Counter[tuple[str, int]]:
    """Return how often somebody came in by each door in each hour of the day."""
    counts = Counter[tuple[str, int]]()
    for offset, clauses in _parts(window):
        hour = _hour_of_day(offset)
        query = (
            select(EntryHour.door_id, hour, func.sum(EntryHour.count))
            .where(*clauses, EntryHour.granted, EntryHour.credential != Credential.NONE.value)
            .group_by(EntryHour.door_id, hour)
        )
        for door, at, count in session.execute(query):
            counts[door, at] += int(count)
    return counts


def _parts(window: Window) -> Iterator[tuple[int, list[ColumnElement[bool]]]]:
    """Yield the window cut where the clock is changed: its offset, and conditions on the counts."""
    for since, until, offset in spans_of_offset(window.since, window.until, window.zone):
        yield offset, replace(window, since=since, until=until).clauses()


def _hour_of_day(offset: int) -> ColumnElement[int]:
    return (EntryHour.hour + offset) % DAY // HOUR


def _shares(
    session: Session, window: Window, key: ColumnElement[str] | InstrumentedAttribute[str]
) -> dict[str, Share]:
    granted = func.sum(case((EntryHour.granted, EntryHour.count), else_=0))
    rows = session.execute(
        select(key, granted, func.sum(EntryHour.count) - granted)
        .where(*window.clauses())
        .group_by(key)
        .order_by(key)
    )
    return {name: Share(int(opened), int(refused)) for name, opened, refused in rows}
