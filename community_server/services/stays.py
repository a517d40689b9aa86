"""Keeping stays: brought up to date with each entry, in the transaction that keeps it.

Whatever arrives twice, late or out of order, the stays are those of all entries that are here. Only
those of service workers: nobody else's comings and goings are put together.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.orm import Session

from access_rules.alarms import EntryRemark
from access_rules.people import Category, Direction
from community_server.entries.forgetting import forgotten_until
from community_server.entries.tables import Entry
from community_server.people.tables import Person
from community_server.services.passings import APART_MS, EndedBy, Passing, Stay, stays_of
from community_server.services.tables import Departure, StayCount, Worker, WorkerStay

_ADVISORY_LOCK: Final = 0x57A7
"""One writer of stays at a time on PostgreSQL; SQLite has no more anyway."""
_MINUTE_MS: Final = 60_000

Kind: TypeAlias = tuple[str, bool, int]
"""What stays are counted by: day, whether the end was seen, minutes."""


def note_entry(session: Session, number: int, zone: ZoneInfo) -> None:
    """Bring stays up to date with an entry that is new, or of which something was noticed."""
    row = session.get_one(Entry, number)
    if row.category == Category.SERVICE_WORKER and row.person_id:
        settle(session, row.person_id, row.at, zone)


def settle(session: Session, person: str, at: int, zone: ZoneInfo) -> None:
    """Put somebody's stays together anew from `at` (Unix milliseconds) on.

    The stay that began before is where it starts, if that goes on until then: what came earlier
    does not depend on it, and its entries may have been deleted since. What is older than the
    entries that are kept changes no stay any more.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    company = session.scalar(select(Worker.company_id).where(Worker.person_id == person))
    gone = forgotten_until(session)
    if company is None:
        return
    theirs = WorkerStay.person_id == person
    since = _since(session, theirs, at)
    if since[1] and since[0] < gone:
        return  # that stay's first entries are forgotten; it stays as it was counted
    since = max(since, (gone, ""))
    rows = session.scalars(select(WorkerStay).where(theirs, WorkerStay.begins >= since[0]))
    before = [row for row in rows if (row.begins, row.key) >= since]
    passings = _passings(session, person, since[0])
    after = stays_of(one for one in passings if (one.at, one.key) >= since)
    counts = Counter(_kind(stay, zone) for stay in after)
    counts.subtract(_kind(row, zone) for row in before)
    known = {row.key: row for row in before}
    kept = {stay.key for stay in after}
    session.execute(delete(WorkerStay).where(WorkerStay.key.in_(known.keys() - kept)))
    for stay in after:
        row = known.get(stay.key) or WorkerStay(key=stay.key, person_id=person, company_id=company)
        row.door_id, row.begins, row.last_seen = stay.door, stay.begins, stay.last_seen
        row.ends, row.ended_by = stay.ends, stay.ended_by
        session.add(row)
    for kind, change in counts.items():
        if change:
            _count(session, company, kind, change)
    session.flush()


def forget_stays(session: Session, people: Collection[str]) -> None:
    """Forget when people came and left; what was counted of it stays."""
    for table in (WorkerStay, Departure):
        session.execute(delete(table).where(table.person_id.in_(people)))


def forget_old_stays(session: Session, before: int, most: int) -> int:
    """Forget stays and departures of before a Unix second, `most` of each at once."""
    gone = 0
    for table, at in ((WorkerStay, WorkerStay.last_seen), (Departure, Departure.at)):
        old = session.scalars(select(table.key).where(at < before * 1000).limit(most)).all()
        session.execute(delete(table).where(table.key.in_(old)))
        gone = max(gone, len(old))
    return gone


def forget_strays(session: Session) -> None:
    """Forget the stays of people who were removed while an entry of theirs arrived."""
    for table in (WorkerStay, Departure):
        session.execute(delete(table).where(table.person_id.not_in(select(Person.id))))


def _since(session: Session, theirs: ColumnElement[bool], at: int) -> tuple[int, str]:
    """Return from which passing on stays are put together: its time and key."""
    latest = session.scalar(
        select(WorkerStay)
        .where(theirs, WorkerStay.begins < at)
        .order_by(WorkerStay.begins.desc(), WorkerStay.key.desc())
        .limit(1)
    )
    if latest is None:
        return 0, ""
    if at - latest.last_seen <= APART_MS:
        return latest.begins, latest.key
    if latest.ended_by == EndedBy.OPEN:
        latest.ended_by = EndedBy.UNSEEN
    return latest.last_seen + 1, ""


def _passings(session: Session, person: str, since: int) -> Iterator[Passing]:
    rows = session.execute(
        select(Entry.at, Entry.entry, Entry.door_id, Entry.direction).where(
            Entry.person_id == person,
            Entry.at >= since,
            Entry.granted,
            Entry.time_known,
            Entry.remarks.not_like(f"%{EntryRemark.NOT_PASSED}%"),
        )
    )
    for at, entry, door, direction in rows:
        yield Passing(at, entry, door, direction == Direction.OUT)
    words = select(Departure.at, Departure.key).where(
        Departure.person_id == person, Departure.at >= since
    )
    for at, key in session.execute(words):
        yield Passing(at, key, out=True)


def _kind(stay: Stay | WorkerStay, zone: ZoneInfo) -> Kind:
    day = datetime.fromtimestamp(stay.begins // 1000, zone).date().isoformat()
    if not stay.ends:
        return day, False, 0
    return day, True, round((stay.ends - stay.begins) / _MINUTE_MS)


def _count(session: Session, company: str, kind: Kind, change: int) -> None:
    day, seen, minutes = kind
    row = session.get(StayCount, (company, day, seen, minutes))
    if row is None:
        row = StayCount(company_id=company, day=day, seen=seen, minutes=minutes, count=0)
        session.add(row)
    row.count += change
    if row.count <= 0:
        session.delete(row)
    session.flush()
