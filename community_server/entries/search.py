"""Finding entries among a million: newest first, by keyset, with few indexes.

Every entry costs the writing of each index, so there are three: by time, by person and time, and
by time of the few that were remarked upon. For everything else the counts by the hour say in which
hours to look; the entries of those hours alone are read. Names are never compared in the database:
whoever looks for one brings the ids.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from community_server.entries.filters import Filters
from community_server.entries.hours import HOUR
from community_server.entries.tables import Entry, EntryHour, EntryKind

FEW_PEOPLE: Final = 200
"""Up to so many are looked up by the index at once; of more, the newest entries are read first."""
LOOKED_ALONG: Final = 20_000
"""The newest entries that are read for many people, before each is looked up."""
HOURS_AT_ONCE: Final = 200
"""Hours that are asked for together: most pages need a few."""

FEW_KINDS: Final = 100
"""Up to so many are named to the database, which then goes by them; of more, hour by hour."""


@dataclass(frozen=True, order=True)
class Place:
    """Where an entry stands in the log: its time (Unix milliseconds), then its number."""

    at: int
    number: int

    def __str__(self) -> str:
        return f"{self.at}.{self.number}"


def read_place(text: str) -> Place | None:
    """Return the place that a page's address names; None for none, or for no such form."""
    at, _, number = text.partition(".")
    if at.isdecimal() and number.isdecimal() and len(text) < 40:  # noqa: PLR2004 -- two 64-bit numbers
        return Place(int(at), int(number))
    return None


@dataclass(frozen=True)
class Search:
    """One look into the log, from one place on towards older entries, or towards newer ones."""

    session: Session
    filters: Filters
    start: Place | None = None
    newer: bool = False

    def numbers(self, limit: int) -> list[int]:
        """Return the numbers of the next entries that fit, nearest first, `limit` at most."""
        return [place.number for place in self.places(limit)]

    def places(self, limit: int) -> list[Place]:
        """Return the places of the next entries that fit, nearest first."""
        people = self.filters.people
        if people is not None:
            return self._of_people(people, limit) if people else []
        if self.filters.is_kind and not self.filters.remark:
            return self._by_hours(limit)
        return self._read(self._query().limit(limit))

    def _query(self, *more: ColumnElement[bool]) -> Select[int, int]:
        query = select(Entry.at, Entry.number).where(*self.filters.clauses(), *more)
        if self.start is not None:
            query = query.where(_beyond(self.start, newer=self.newer))
        return query.order_by(*self._order(Entry.at, Entry.number))

    def _order(
        self, at: SQLColumnExpression[int], number: SQLColumnExpression[int]
    ) -> tuple[SQLColumnExpression[int], ...]:
        return (at, number) if self.newer else (at.desc(), number.desc())

    def _read(
        self, query: Select[int, int], values: Mapping[str, int] | None = None
    ) -> list[Place]:
        return [Place(at, number) for at, number in self.session.execute(query, values)]

    def _by_hours(self, limit: int) -> list[Place]:
        """Read the entries of those hours alone that have some which fit."""
        found: list[Place] = []
        hours = self._hours()
        at_once = self.session.get_bind().dialect.name == "postgresql"
        while len(found) < limit and (spans := _take(hours, limit - len(found))):
            read = self._at_once if at_once else self._one_by_one
            found += read(spans, limit - len(found))
        return found

    def _at_once(self, spans: Sequence[tuple[int, int]], limit: int) -> list[Place]:
        """Read several spans with one question, each by the index: LATERAL with a limit."""
        begins, ends = ([1000 * span[end] for span in spans] for end in (0, 1))
        span = func.unnest(_many(begins), _many(ends)).table_valued("begin", "end").render_derived()
        within = self._query(Entry.at >= span.c.begin, Entry.at < span.c.end).limit(limit)
        each = within.correlate(span).lateral()
        query = select(each.c.at, each.c.number).select_from(span).join(each, true())
        return self._read(query.order_by(*self._order(each.c.at, each.c.number)).limit(limit))

    def _one_by_one(self, spans: Sequence[tuple[int, int]], limit: int) -> list[Place]:
        """Read span by span: of several, SQLite would walk through all that lies between."""
        found: list[Place] = []
        # Made once: there may be a hundred spans.
        within = (Entry.at >= bindparam("begin"), Entry.at < bindparam("end"))
        query = self._query(*within).limit(bindparam("most", type_=Integer))
        for begin, end in spans:
            if len(found) == limit:
                break
            span = {"begin": begin * 1000, "end": end * 1000, "most": limit - len(found)}
            found += self._read(query, span)
        return found

    def _hours(self) -> Iterator[tuple[int, int]]:
        """Yield the hours that have entries which fit, and how many, in the search's direction."""
        filters, hour = self.filters, EntryHour.hour
        oldest = self.session.scalar(select(func.min(Entry.at)))
        if oldest is None:
            return
        lowest, highest = max(filters.since, oldest // 1000), filters.until
        if self.start is not None:
            at = self.start.at // 1000
            lowest = max(lowest, at) if self.newer else lowest
            highest = highest if self.newer else min(highest or at + 1, at + 1)
        kinds = self._kinds()
        if isinstance(kinds, Sequence) and not kinds:
            return
        query = (
            select(hour, func.sum(EntryHour.count))
            .where(EntryHour.kind_id.in_(kinds), hour > lowest - HOUR)
            .group_by(hour)
            .order_by(hour if self.newer else hour.desc())
            .limit(HOURS_AT_ONCE)
        )
        if highest:
            query = query.where(hour < highest)
        rows = self.session.execute(query).all()
        while rows:
            for begin, count in rows:
                yield begin, int(count)
            last = rows[-1][0]
            beyond = hour > last if self.newer else hour < last
            full = len(rows) == HOURS_AT_ONCE
            rows = self.session.execute(query.where(beyond)).all() if full else []

    def _kinds(self) -> Select[int] | Sequence[int]:
        every = select(EntryKind.id).where(*self.filters.kind_clauses())
        few = self.session.scalars(every.limit(FEW_KINDS + 1)).all()
        return few if len(few) <= FEW_KINDS else every

    def _of_people(self, people: frozenset[str], limit: int) -> list[Place]:
        if len(people) > FEW_PEOPLE:
            found, everything = self._looking_along(people, limit)
            if everything or len(found) == limit:
                return found
        # Each batch is one walk along the index; the nearest of all of them count.
        ids = sorted(people)
        some = (ids[first : first + FEW_PEOPLE] for first in range(0, len(ids), FEW_PEOPLE))
        batches = [self._read(self._query(Entry.person_id.in_(one)).limit(limit)) for one in some]
        nearest = heapq.nsmallest if self.newer else heapq.nlargest
        return nearest(limit, (place for batch in batches for place in batch))

    def _looking_along(self, people: frozenset[str], limit: int) -> tuple[list[Place], bool]:
        """Read the nearest entries for those of many people; say whether that were all there are.

        Somebody among many is never far: this ends soon, where the index would be asked for each.
        """
        step, found, start = 3 * limit, list[Place](), self.start
        for _ in range(-(-LOOKED_ALONG // step)):
            anybodys = replace(self, filters=replace(self.filters, people=None), start=start)
            places = anybodys.places(step)
            numbers = [place.number for place in places]
            whose = dict(
                self.session.execute(
                    select(Entry.number, Entry.person_id).where(Entry.number.in_(numbers))
                ).all()
            )
            found += [place for place in places if whose[place.number] in people]
            if len(found) >= limit:
                return found[:limit], False
            if len(places) < step:
                return found, True
            start = places[-1]
        return found, False


def newest_behind(session: Session, filters: Filters, number: int) -> int | None:
    """Return the number of the latest arrival behind `number` that fits; None for no such."""
    query = (
        select(Entry.number, Entry.person_id)
        .where(Entry.number > number, *filters.clauses())
        .order_by(Entry.number.desc())
    )
    people = filters.people
    if people is None:
        query = query.limit(1)
    rows = session.execute(query)
    return next((found for found, one in rows if people is None or one in people), None)


def latest_number(session: Session) -> int:
    """Return the number of the entry that arrived last, 0 for none."""
    return session.scalar(select(func.max(Entry.number))) or 0


def _beyond(place: Place, *, newer: bool) -> ColumnElement[bool]:
    """Return the keyset's condition in a form that either database answers from an index."""
    if newer:
        return and_(Entry.at >= place.at, or_(Entry.at > place.at, Entry.number > place.number))
    return and_(Entry.at <= place.at, or_(Entry.at < place.at, Entry.number < place.number))


def _many(moments: list[int]) -> BindParameter[list[int]]:
    return literal(moments, ARRAY(BigInteger))


def _take(hours: Iterator[tuple[int, int]], wanted: int) -> Sequence[tuple[int, int]]:
    """Take hours until they count so many entries; return them as spans, neighbours as one."""
    spans: list[tuple[int, int]] = []
    counted = 0
    for hour, count in hours:
        begin, end = hour, hour + HOUR
        if spans and spans[-1][0] == end:
            spans[-1] = (begin, spans[-1][1])
        elif spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
        counted += count
        if counted >= wanted:
            break
    return spans
