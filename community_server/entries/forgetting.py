"""Forgetting entries, in small batches, so that none of them comes back as a new one.

Counts by the hour stay; the entry itself is gone. A door sends its last days again to a server
that was put back to an older state, and unique ids drop what is still here. Of what is not, a mark
for each door remembers how far its log was forgotten.
"""

from typing import Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from community_server.doors.tables import Door
from community_server.entries.tables import Entry, EntryMark
from tier_link.estate_messages import EntryRecorded

_AHEAD_S: Final = 24 * 3600
"""An entry from a clock that ran ahead goes so long after its arrival was due, not by its time."""


def forget_entries(session: Session, before: int, most: int) -> int:
    """Delete the oldest entries of before a Unix second, `most` at once; return how many.

    The newest one of all only loses whom it names: other systems read on behind its number, which
    a database without rows would give again.
    """
    newest = session.scalar(select(func.max(Entry.number)))
    columns = select(Entry.number, Entry.door_id, Entry.door_sequence, Entry.received_at)
    by_time = columns.where(Entry.at < before * 1000, Entry.number != newest).order_by(Entry.at)
    rows = session.execute(by_time.limit(most)).all()
    if not rows:
        arrived = columns.where(Entry.number != newest).order_by(Entry.number).limit(most)
        found = session.execute(arrived).all()
        rows = [row for row in found if row.received_at < before - _AHEAD_S]
    session.execute(
        update(Entry)
        .where(
            Entry.number == newest,
            Entry.at < before * 1000,
            or_(Entry.person_id != "", Entry.staff_id != ""),
        )
        .values(person_id="", staff_id="")
    )
    if not rows:
        return 0
    # A terminal numbers its entries from 1 on: what came from the one before says nothing of it.
    paired = dict(session.execute(select(Door.id, Door.paired_at)).all())
    furthest: dict[str, int] = {}
    for _, door, sequence, received_at in rows:
        reached = sequence if received_at > paired.get(door, 0) else 0
        furthest[door] = max(furthest.get(door, 0), reached)
    for door, sequence in furthest.items():
        mark = session.get(EntryMark, door, with_for_update=True)
        if mark is None:
            mark = EntryMark(door_id=door, sequence=0, until=0)
            session.add(mark)
        mark.sequence, mark.until = max(mark.sequence, sequence), max(mark.until, before * 1000)
    session.execute(delete(Entry).where(Entry.number.in_([row.number for row in rows])))
    session.flush()
    return len(rows)


def was_forgotten(session: Session, door: str, message: EntryRecorded) -> bool:
    """Say whether an entry that is not here was, and was counted, and has been forgotten since."""
    mark = session.get(EntryMark, door)
    if mark is None or message.door_sequence > mark.sequence:
        return False
    return not message.time_known or message.at < mark.until


def forgotten_until(session: Session) -> int:
    """Return the Unix millisecond before which entries may be gone; 0 where none is."""
    return session.scalar(select(func.max(EntryMark.until))) or 0


def begin_anew(session: Session, door: str) -> None:
    """Note that another terminal numbers a door's entries from now on."""
    session.execute(update(EntryMark).where(EntryMark.door_id == door).values(sequence=0))
