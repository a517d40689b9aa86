"""A day's figures, summed up from what is kept of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import ColumnElement, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from access_rules.alarms import AlarmKind
from community_server.alarms.rules import offline_after_s
from community_server.alarms.tables import Alarm
from community_server.doors.tables import Door
from community_server.entries.hours import category_of
from community_server.entries.tables import EntryHour, EntryKind
from community_server.lockdown.tables import Declaration
from community_server.openings.tables import Opening


class Count(msgspec.Struct, frozen=True):
    """How many of something; `name` is a door's name, or a code."""

    name: str
    count: int


class Passed(msgspec.Struct, frozen=True):
    """How often a door, or for a kind of people, was opened and refused."""

    name: str
    granted: int
    refused: int


class Away(msgspec.Struct, frozen=True):
    """For how many seconds of the day a door was known to be offline."""

    name: str
    seconds: int


class Declared(msgspec.Struct, frozen=True):
    """A lockdown that began or ended, at a Unix second."""

    at: int
    active: bool


class Figures(msgspec.Struct, frozen=True):
    """What one day was like."""

    granted: int = 0
    refused: int = 0
    doors: tuple[Passed, ...] = ()
    categories: tuple[Passed, ...] = ()
    refusals: tuple[Count, ...] = ()
    alarms: tuple[Count, ...] = ()
    openings: tuple[Count, ...] = ()
    calls_opened: int = 0
    calls_refused: tuple[Count, ...] = ()
    calls_missed: int = 0
    lockdowns: tuple[Declared, ...] = ()
    away: tuple[Away, ...] = ()


@dataclass(frozen=True)
class Span:
    """A day by the estate's clock, in Unix seconds; `end` is the next one's beginning."""

    begin: int
    end: int


def sum_up(session: Session, span: Span, now: int) -> Figures:
    """Sum up what is kept of a day; of one that goes on, until `now`."""
    names = dict(session.execute(select(Door.id, Door.name)).all())
    alarms = _counted(
        session, Alarm.kind, Alarm.raised_at >= span.begin * 1000, Alarm.raised_at < span.end * 1000
    )
    missed = AlarmKind.CALL_MISSED.value
    asked = (Opening.asked_at >= span.begin, Opening.asked_at < span.end)
    calls = session.scalar(
        select(func.count())
        .select_from(Opening)
        .where(*asked, not_(Opening.refused), Opening.call != "")
    )
    return msgspec.structs.replace(
        _entries(session, span, names),
        alarms=tuple(one for one in alarms if one.name != missed),
        openings=_counted(session, Opening.reason, *asked, not_(Opening.refused)),
        calls_opened=calls or 0,
        calls_refused=_counted(session, Opening.reason, *asked, Opening.refused.is_(True)),
        calls_missed=sum(one.count for one in alarms if one.name == missed),
        lockdowns=_lockdowns(session, span),
        away=_away(session, span, names, now),
    )


def _entries(session: Session, span: Span, names: Mapping[str, str]) -> Figures:
    query = (
        select(EntryKind, func.sum(EntryHour.count))
        .join(EntryKind, EntryKind.id == EntryHour.kind_id)
        .where(EntryHour.hour >= span.begin, EntryHour.hour < span.end)
        .group_by(EntryKind.id)
    )
    results, refusals = Counter[bool](), Counter[str]()
    doors, categories = Counter[tuple[str, bool]](), Counter[tuple[str, bool]]()
    for kind, summed in session.execute(query):
        count = int(summed)
        results[kind.granted] += count
        doors[names.get(kind.door_id, kind.door_id), kind.granted] += count
        categories[category_of(kind), kind.granted] += count
        if not kind.granted:
            refusals[kind.reason] += count
    return Figures(
        granted=results[True],
        refused=results[False],
        doors=_passed(doors),
        categories=_passed(categories),
        refusals=tuple(Count(reason, count) for reason, count in refusals.most_common()),
    )


def _passed(counted: Counter[tuple[str, bool]]) -> tuple[Passed, ...]:
    names = sorted({name for name, _ in counted})
    return tuple(Passed(name, counted[name, True], counted[name, False]) for name in names)


def _counted(
    session: Session, what: InstrumentedAttribute[str], *which: ColumnElement[bool]
) -> tuple[Count, ...]:
    rows = session.execute(select(what, func.count()).where(*which).group_by(what).order_by(what))
    return tuple(Count(name, count) for name, count in rows)


def _lockdowns(session: Session, span: Span) -> tuple[Declared, ...]:
    rows = session.execute(
        select(Declaration.at, Declaration.active)
        .where(Declaration.at >= span.begin, Declaration.at < span.end)
        .order_by(Declaration.number)
    )
    return tuple(Declared(at, active) for at, active in rows)


def _away(session: Session, span: Span, names: Mapping[str, str], now: int) -> tuple[Away, ...]:
    """Return for how long each door was offline; its alarm comes that much after the beginning."""
    end, before = min(span.end, now), offline_after_s(session)
    rows = session.execute(
        select(Alarm.door_id, Alarm.raised_at, Alarm.cleared_at).where(
            Alarm.kind == AlarmKind.DOOR_OFFLINE.value,
            Alarm.raised_at < (end + before) * 1000,
            or_(Alarm.cleared_at == 0, Alarm.cleared_at > span.begin * 1000),
        )
    )
    seconds = Counter[str]()
    for door, raised, cleared in rows:
        since = max(span.begin, raised // 1000 - before)
        until = min(end, cleared // 1000) if cleared else end
        seconds[names.get(door or "", door or "")] += max(0, until - since)
    return tuple(Away(name, seconds[name]) for name in sorted(seconds) if seconds[name])
