"""Keeping entries: each once, in order of arrival, and live to whoever watches."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from access_rules.alarms import EntryRemark
from community_server.database import now
from community_server.doors.tables import Door
from community_server.entries.forgetting import was_forgotten
from community_server.entries.hours import count_entry
from community_server.entries.tables import Entry
from community_server.openings.tables import Opening
from community_server.passes.queries import bearer_of
from community_server.staff.tables import StaffMember
from tier_link.estate_messages import EntryRecorded, EntryRemarked

MOST_REMARKS = 4
"""Remarks on one entry: more than there are, and they fit the column."""

Namer = Callable[[str], str]
"""Person id → name, from memory; empty for nobody and for people forgotten."""


@dataclass(frozen=True)
class ShownEntry:
    """One entry as staff see it.

    `at` is Unix milliseconds, of arrival where unknown, `received_at` Unix seconds. `by` is the
    user name of whoever had the door opened and `why` their reason's code, both empty for
    everything else.
    """

    number: int
    entry: str
    at: int
    received_at: int
    time_known: bool
    door: str
    door_name: str
    person: str
    name: str = field(repr=False)
    category: str
    credential: str
    granted: bool
    reason: str
    matched: str
    took_ms: int
    direction: str
    liveness: str
    remarks: tuple[str, ...]
    by: str
    why: str

    def as_json(self) -> dict[str, object]:
        """Return it as the API sends it."""
        return asdict(self)


def record_entry(session: Session, door: str, message: EntryRecorded, zone: ZoneInfo) -> int | None:
    """Keep and count one entry in the link's transaction; None when it is, or was, here already."""
    if session.scalar(select(Entry.number).where(Entry.entry == message.entry)):
        return None
    if was_forgotten(session, door, message):
        return None
    moment = now()
    row = Entry(
        entry=message.entry,
        door_id=door,
        door_sequence=message.door_sequence,
        at=message.at if message.time_known else moment * 1000,
        time_known=message.time_known,
        received_at=moment,
        direction=message.direction,
        person_id=message.person or bearer_of(session, message.pass_id),
        category=message.category,
        credential=message.credential,
        granted=message.granted,
        reason=message.reason,
        matched=message.matched,
        took_ms=message.took_ms,
        frames=message.frames,
        liveness=message.liveness,
        first=message.first,
        staff_id=message.by,
    )
    session.add(row)
    session.flush()
    count_entry(session, row, zone)
    if passes_again(session, row):
        _remark(row, EntryRemark.PASSBACK)
    return row.number


def find_entry(session: Session, door: str, entry: str) -> Entry | None:
    """Return one door's entry."""
    return session.scalar(select(Entry).where(Entry.entry == entry, Entry.door_id == door))


def remark_entry(session: Session, door: str, message: EntryRemarked) -> int | None:
    """Note what a door noticed about an entry of its own; return its number, None for no such."""
    row = find_entry(session, door, message.entry)
    if row is None:
        return None
    _remark(row, message.remark)
    session.flush()
    return row.number


def passes_again(session: Session, entry: Entry) -> bool:
    """Say whether somebody goes through a pair of readers twice the same way (soft anti-passback).

    By what has arrived so far: a door that was offline tells late.
    """
    way = entry.direction
    if not (entry.granted and entry.person_id and entry.time_known and way in {"in", "out"}):
        return False
    pair = session.scalar(select(Door.pair).where(Door.id == entry.door_id))
    if not pair:
        return False
    last = session.scalar(
        select(Entry.direction)
        .join(Door, Door.id == Entry.door_id)
        .where(
            Entry.person_id == entry.person_id,
            Entry.number != entry.number,
            Entry.granted,
            Entry.time_known,
            Entry.direction.in_(("in", "out")),
            Entry.at <= entry.at,
            Door.pair == pair,
            Entry.remarks.not_like(f"%{EntryRemark.NOT_PASSED}%"),
        )
        .order_by(Entry.at.desc(), Entry.number.desc())
        .limit(1)
    )
    return last == way


def _remark(row: Entry, remark: str) -> None:
    said = row.remarks.split()
    if remark and remark not in said and len(said) < MOST_REMARKS:
        row.remarks = " ".join((*said, remark))


def list_entries(
    session: Session, name_of: Namer, *, after: int | None, limit: int
) -> Sequence[ShownEntry]:
    """Return entries in order of arrival: those behind `after`, or the newest ones."""
    query = _with_names().limit(limit)
    if after is None:
        rows = list(session.execute(query.order_by(Entry.number.desc())))[::-1]
    else:
        rows = list(session.execute(query.where(Entry.number > after).order_by(Entry.number)))
    return [_show(*row, name_of) for row in rows]


def show_entry(session: Session, name_of: Namer, number: int) -> ShownEntry | None:
    """Return one entry."""
    return next(iter(show_entries(session, name_of, [number])), None)


def show_entries(session: Session, name_of: Namer, numbers: Sequence[int]) -> list[ShownEntry]:
    """Return entries by their numbers, in that order; who is gone is left out."""
    rows = session.execute(_with_names().where(Entry.number.in_(numbers)))
    found = {row[0].number: _show(*row, name_of) for row in rows}
    return [found[number] for number in numbers if number in found]


def _with_names() -> Select[Entry, str, str, str]:
    return (
        select(Entry, Door.name, StaffMember.username, Opening.reason)
        .join(Door, Door.id == Entry.door_id)
        .outerjoin(StaffMember, StaffMember.id == Entry.staff_id)
        .outerjoin(Opening, Opening.entry == Entry.entry)
    )


def _show(
    row: Entry, door_name: str, by: str | None, why: str | None, name_of: Namer
) -> ShownEntry:
    return ShownEntry(
        number=row.number,
        entry=row.entry,
        at=row.at,
        received_at=row.received_at,
        time_known=row.time_known,
        door=row.door_id,
        door_name=door_name,
        person=row.person_id,
        name=name_of(row.person_id),
        category=row.category,
        credential=row.credential,
        granted=row.granted,
        reason=row.reason,
        matched=row.matched,
        took_ms=row.took_ms,
        direction=row.direction,
        liveness=row.liveness,
        remarks=tuple(row.remarks.split()),
        by=by or "",
        why=why or "",
    )
