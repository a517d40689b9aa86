"""What is unusual lately: refusals of one person, doors at odd hours, passes in two places.

Each is a fact for somebody to look at, never a judgement and never an alarm.
"""

import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from access_rules.people import Credential
from community_server.analysis.figures import Window, used_by_hour
from community_server.doors.tables import Door
from community_server.entries.hours import DAY
from community_server.entries.tables import Entry

LATELY: Final = 7 * DAY
"""Seconds that are looked at ..."""
BEFORE: Final = 56 * DAY
"""... and those before them, which tell what is usual."""
MANY_REFUSALS: Final = 5
"""Of one person on one day."""
OFTEN: Final = 3
"""Uses of a door in an hour of the day, in the week, that count as using it ..."""
SELDOM: Final = 2
"""... where it had been used at most so often in the eight weeks before."""
AT_ONCE_MS: Final = 60_000
"""A pass shown at two doors within this time was not carried from one to the other."""
MOST: Final = 20
"""Of each kind that are shown."""
LASTS_S: Final = 60.0
"""What stood out in seven days does not change in a minute, in which somebody turns from a month
to the year, and from door to door."""


@dataclass(frozen=True)
class ManyRefusals:
    """Somebody was refused strikingly often on one day (`2026-11-25`)."""

    person: str
    day: str
    count: int


@dataclass(frozen=True)
class OddHour:
    """A door was used at an hour of the day at which it hardly ever is."""

    door: str
    hour: int
    count: int
    before: int


@dataclass(frozen=True)
class TwoPlaces:
    """Somebody's pass opened two doors at once; `at` is Unix milliseconds, of the later."""

    person: str
    doors: tuple[str, str]
    at: int
    apart_ms: int


@dataclass(frozen=True)
class Patterns:
    """What was found in the last seven days."""

    refusals: list[ManyRefusals]
    odd_hours: list[OddHour]
    two_places: list[TwoPlaces]

    @property
    def nothing(self) -> bool:
        """Whether nothing was."""
        return not (self.refusals or self.odd_hours or self.two_places)


class PatternBook:
    """What was found last, for the pages that ask within a minute; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Patterns | None = None
        self._until = 0.0

    def lately(self, session: Session, zone: ZoneInfo, now: int) -> Patterns:
        """Return the patterns as of `now` (Unix seconds), or of a minute before."""
        with self._lock:  # whoever comes second waits, and works nothing out
            if self._found is None or time.monotonic() >= self._until:
                self._found = find_patterns(session, zone, now)
                self._until = time.monotonic() + LASTS_S
            return self._found

    def forget(self) -> None:
        """Look anew at the next question."""
        with self._lock:
            self._found = None


def find_patterns(session: Session, zone: ZoneInfo, now: int) -> Patterns:
    """Look at the last seven days before `now` (Unix seconds)."""
    by_pass = (Entry.credential == Credential.PASS.value) & Entry.granted
    rows = session.execute(
        select(Entry.person_id, Entry.door_id, Entry.at, Entry.granted)
        .where(
            Entry.at >= (now - LATELY) * 1000,
            Entry.person_id != "",
            Entry.time_known,
            or_(~Entry.granted, by_pass),
        )
        .order_by(Entry.at, Entry.number)
    ).all()
    refused = Counter[tuple[str, str]]()
    passes: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for person, door, at, granted in rows:
        if granted:
            passes[person].append((at, door))
        else:
            day = datetime.fromtimestamp(at // 1000, zone).date().isoformat()
            refused[person, day] += 1
    return Patterns(
        [
            ManyRefusals(person, day, count)
            for (person, day), count in refused.most_common(MOST)
            if count >= MANY_REFUSALS
        ],
        _odd_hours(session, zone, now),
        _two_places(passes, dict(session.execute(select(Door.id, Door.pair)).all())),
    )


def _odd_hours(session: Session, zone: ZoneInfo, now: int) -> list[OddHour]:
    since = now - LATELY
    lately = used_by_hour(session, Window(since, now, zone))
    before = used_by_hour(session, Window(since - BEFORE, since, zone))
    known = Counter[str]()
    for (door, _), count in before.items():
        known[door] += count
    found = [
        OddHour(door, hour, count, before[door, hour])
        for (door, hour), count in lately.items()
        # A new door has no usual hours yet.
        if count >= OFTEN and before[door, hour] <= SELDOM and known[door] > BEFORE // DAY
    ]
    return sorted(found, key=lambda one: (-one.count, one.door, one.hour))[:MOST]


def _two_places(passes: dict[str, list[tuple[int, str]]], pairs: dict[str, str]) -> list[TwoPlaces]:
    found = []
    for person, shown in passes.items():
        for (before, first), (at, second) in pairwise(shown):
            one_way = pairs.get(first) and pairs.get(first) == pairs.get(second)
            if first != second and not one_way and at - before <= AT_ONCE_MS:
                found.append(TwoPlaces(person, (first, second), at, at - before))
    return sorted(found, key=lambda one: -one.at)[:MOST]
