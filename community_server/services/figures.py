"""How often a company's workers came, and for how long: from counts that outlive everybody."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.services.tables import Company, StayCount, WorkerStay

ENOUGH: Final = 5
"""Stays whose end was seen that tell what is typical ..."""
LATELY_DAYS: Final = 90
"""... in so many days."""
BOUNDS: Final = (10, 20, 30, 60, 120, 240, 480)
"""Minutes by which stays are sorted; the last sort is whatever is longer."""
_MINUTE_MS: Final = 60_000
_Counted: TypeAlias = tuple[str, bool, int, int]
"""Day, whether the end was seen, minutes, and how many such stays."""


@dataclass(frozen=True)
class Visits:
    """How often somebody came and for how long.

    `visits` counts all, `seen` those whose end was seen: `minutes` and `median` are of these alone.
    `estimated` are minutes of the others, each as long as is typical of the company.
    """

    visits: int
    days: int
    seen: int
    minutes: int
    median: int
    estimated: int

    @property
    def total(self) -> int:
        """Minutes in all, the estimate among them."""
        return self.minutes + self.estimated


@dataclass(frozen=True)
class TimeInside:
    """How many stays lasted so long, by `BOUNDS`: those whose end was seen, and estimates."""

    seen: list[int]
    estimated: list[int]


def typical_minutes(session: Session, company: Company) -> int:
    """Return how long a company's workers typically stay: the median, else what is allowed."""
    since = (datetime.now(UTC) - timedelta(days=LATELY_DAYS)).date().isoformat()
    rows = session.execute(
        select(StayCount.minutes, func.sum(StayCount.count))
        .where(StayCount.company_id == company.id, StayCount.seen, StayCount.day >= since)
        .group_by(StayCount.minutes)
    )
    lengths = {minutes: int(count) for minutes, count in rows}
    return median(lengths) if sum(lengths.values()) >= ENOUGH else company.allowed_min


def median(lengths: Mapping[int, int]) -> int:
    """Return the middle of lengths, each so often; of two middles the longer, of none 0."""
    middle = sum(lengths.values()) // 2
    for length in sorted(lengths):
        middle -= lengths[length]
        if middle < 0:
            return length
    return 0


def by_month(session: Session, company: Company) -> dict[str, Visits]:
    """Return a company's visits by month (`2026-11`), the newest first."""
    rows = session.execute(
        select(StayCount.day, StayCount.seen, StayCount.minutes, StayCount.count).where(
            StayCount.company_id == company.id
        )
    )
    months: defaultdict[str, list[_Counted]] = defaultdict(list)
    for day, seen, minutes, count in rows:
        months[day[:7]].append((day, seen, minutes, count))
    typical = typical_minutes(session, company)
    return {month: _visits(months[month], typical) for month in sorted(months, reverse=True)}


def by_worker(session: Session, company: Company, zone: ZoneInfo) -> dict[str, Visits]:
    """Return the visits of each of a company's workers who is here."""
    rows = session.execute(
        select(WorkerStay.person_id, WorkerStay.begins, WorkerStay.ends).where(
            WorkerStay.company_id == company.id
        )
    )
    workers: defaultdict[str, list[_Counted]] = defaultdict(list)
    for person, begins, ends in rows:
        workers[person].append(_count(begins, ends, zone))
    typical = typical_minutes(session, company)
    return {person: _visits(stays, typical) for person, stays in workers.items()}


def months_of_worker(
    session: Session, company: Company, person: str, zone: ZoneInfo
) -> dict[str, Visits]:
    """Return one worker's visits for a company by month (`2026-11`), the newest first.

    Counts alone: when and where somebody came takes a stated reason (`entries.looks`).
    """
    rows = session.execute(
        select(WorkerStay.begins, WorkerStay.ends).where(
            WorkerStay.company_id == company.id, WorkerStay.person_id == person
        )
    )
    months: defaultdict[str, list[_Counted]] = defaultdict(list)
    for begins, ends in rows:
        counted = _count(begins, ends, zone)
        months[counted[0][:7]].append(counted)
    typical = typical_minutes(session, company)
    return {month: _visits(months[month], typical) for month in sorted(months, reverse=True)}


def time_inside(session: Session, since: str) -> TimeInside:
    """Return how long all companies' workers stayed since a day (`2026-11-25`)."""
    typical = {one.id: typical_minutes(session, one) for one in session.scalars(select(Company))}
    seen, estimated = [0] * (len(BOUNDS) + 1), [0] * (len(BOUNDS) + 1)
    rows = session.execute(
        select(StayCount.company_id, StayCount.seen, StayCount.minutes, func.sum(StayCount.count))
        .where(StayCount.day >= since)
        .group_by(StayCount.company_id, StayCount.seen, StayCount.minutes)
    )
    for company, was_seen, minutes, count in rows:
        if was_seen:
            seen[_sort(minutes)] += int(count)
        else:
            estimated[_sort(typical.get(company, 0))] += int(count)
    return TimeInside(seen, estimated)


def _sort(minutes: int) -> int:
    return sum(minutes >= bound for bound in BOUNDS)


def _count(begins: int, ends: int, zone: ZoneInfo) -> _Counted:
    """Return one stay, in Unix milliseconds, `ends` 0 where nobody saw it."""
    day = datetime.fromtimestamp(begins // 1000, zone).date().isoformat()
    return day, bool(ends), round((ends - begins) / _MINUTE_MS) if ends else 0, 1


def _visits(stays: Iterable[_Counted], typical: int) -> Visits:
    days, lengths, unseen = set[str](), Counter[int](), 0
    for day, seen, minutes, count in stays:
        days.add(day)
        if seen:
            lengths[minutes] += count
        else:
            unseen += count
    return Visits(
        visits=lengths.total() + unseen,
        days=len(days),
        seen=lengths.total(),
        minutes=sum(minutes * count for minutes, count in lengths.items()),
        median=median(lengths),
        estimated=unseen * typical,
    )
