"""Sums over the counts by the hour; they stay when the entries themselves are gone."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import Session

from access_rules.decision import DecisionReason
from access_rules.people import Credential
from community_server.entries.hours import DAY, HOUR, category_of, spans_of_offset
from community_server.entries.tables import EntryHour, EntryKind

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

    def hours(self) -> list[ColumnElement[bool]]:
        """Return its conditions on hours."""
        return [EntryHour.hour >= self.since, EntryHour.hour < self.until]

    def kinds(self) -> list[ColumnElement[bool]]:
        """Return its conditions on kinds."""
        return [EntryKind.door_id == self.door] if self.door else []

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return its conditions on counts that are not joined with their kinds."""
        if not self.door:
            return self.hours()
        kinds = select(EntryKind.id).where(*self.kinds())
        return [*self.hours(), EntryHour.kind_id.in_(kinds)]


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
        # In two steps: the rows lie by the hour, so that the first sorts nothing.
        hours = (
            select(EntryHour.hour, func.sum(EntryHour.count).label("entries"))
            .where(*clauses)
            .group_by(EntryHour.hour)
            .subquery()
        )
        at = (hours.c.hour + offset + _FIRST_WEEKDAY * DAY) % (DAYS * DAY) // HOUR
        for hour, count in session.execute(select(at, func.sum(hours.c.entries)).group_by(at)):
            day, within = divmod(hour, HOURS)
            table[day][within] += int(count)
    return table


def by_kind(session: Session, window: Window) -> list[tuple[EntryKind, int]]:
    """Return how many entries of each kind there were; the next three sum these up."""
    if session.get_bind().dialect.name == "postgresql":
        sums = (
            select(EntryHour.kind_id, func.sum(EntryHour.count).label("count"))
            .where(*window.clauses())
            .group_by(EntryHour.kind_id)
            .subquery()
        )
        kinds = select(EntryKind, sums.c.count).join(sums, sums.c.kind_id == EntryKind.id)
    else:
        # Kind by kind along its index; for a group over all of them SQLite would sort them first.
        count = (
            select(func.sum(EntryHour.count))
            .where(EntryHour.kind_id == EntryKind.id, *window.hours())
            .scalar_subquery()
        )
        kinds = select(EntryKind, count)
    found = session.execute(kinds.where(*window.kinds()))
    return [(kind, int(count)) for kind, count in found if count]


def by_door(kinds: Sequence[tuple[EntryKind, int]]) -> dict[str, Share]:
    """Return how often each door was opened and refused."""
    return _shares(kinds, lambda kind: kind.door_id)


def by_category(kinds: Sequence[tuple[EntryKind, int]]) -> dict[str, Share]:
    """Return the same for each kind of people; who is known of none is one of two."""
    return _shares(kinds, category_of)


def by_reason(kinds: Sequence[tuple[EntryKind, int]]) -> dict[str, int]:
    """Return refusals by reason, the most frequent first."""
    counts = Counter[str]()
    for kind, count in kinds:
        if not kind.granted:
            counts[kind.reason] += count
    return dict(counts.most_common())


def faces_by_hour(session: Session, window: Window) -> list[FaceHours]:
    """Return for each door how many faces it saw and refused in each hour of the day."""
    is_face = EntryKind.credential == Credential.FACE.value
    unseen = case((EntryKind.reason.in_(UNSEEN), 1), else_=0)
    seen, refused = _by_hour_of_day(session, window, is_face, literal(1), unseen)
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
    by_somebody = EntryKind.granted & (EntryKind.credential != Credential.NONE.value)
    (counts,) = _by_hour_of_day(session, window, by_somebody, literal(1))
    return counts


def _by_hour_of_day(
    session: Session, window: Window, which: ColumnElement[bool], *shares: ColumnElement[int]
) -> list[Counter[tuple[str, int]]]:
    """Return counts by door and hour of the estate's day, once for each of `shares`.

    A share is 1 for a kind of entries that counts and 0 for one that does not.
    """
    found = [Counter[tuple[str, int]]() for _ in shares]
    for offset, clauses in _parts(window):
        # By kind first, and by one number: sorting long names of doors takes twice as long.
        key = EntryHour.kind_id * HOURS + (EntryHour.hour + offset) % DAY // HOUR
        sums = (
            select(key.label("key"), func.sum(EntryHour.count).label("count"))
            .where(*clauses)
            .group_by(key)
            .subquery()
        )
        hour = sums.c.key % HOURS
        rows = session.execute(
            select(EntryKind.door_id, hour, *(func.sum(sums.c.count * share) for share in shares))
            .join_from(sums, EntryKind, EntryKind.id == sums.c.key // HOURS)
            .where(which)
            .group_by(EntryKind.door_id, hour)
        )
        for door, at, *counts in rows:
            for counter, count in zip(found, counts, strict=True):
                counter[door, at] += int(count)
    return found


def _parts(window: Window) -> Iterator[tuple[int, list[ColumnElement[bool]]]]:
    """Yield the window cut where the clock is changed: its offset, and conditions on the counts."""
    for since, until, offset in spans_of_offset(window.since, window.until, window.zone):
        yield offset, replace(window, since=since, until=until).clauses()


def _shares(
    kinds: Sequence[tuple[EntryKind, int]], name_of: Callable[[EntryKind], str]
) -> dict[str, Share]:
    granted, refused = Counter[str](), Counter[str]()
    for kind, count in kinds:
        (granted if kind.granted else refused)[name_of(kind)] += count
    return {
        name: Share(granted[name], refused[name])
        for name in sorted(granted.keys() | refused.keys())
    }
