"""Keeping, showing and forgetting pictures of refused faces.

A picture helps whoever answers "why was I not let in?" in the next days, and harms everybody else:
so there is none unless a door's settings say otherwise; it is small, sealed, seen by few, each look
is in the audit log, and it goes by itself.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import now
from community_server.doors.service import get_door
from community_server.entries.tables import Entry
from community_server.errors import NotFound
from community_server.matching.crops import decode_crops
from community_server.snapshots.tables import Snapshot
from community_server.vault.safe import Safe
from tier_link.errors import RequestRefused
from tier_link.estate_messages import SnapshotTaken

MOST_AN_HOUR: Final = 300
"""Of one door: a queue that is refused every twelve seconds. A stolen door fills no disk."""
_HOUR: Final = 3600
_CONTEXT: Final = "snapshot"


def keep_snapshot(change: Change, door: str, taken: SnapshotTaken) -> None:
    """Keep what a door saw of a face that it refused; once, however often it comes.

    Raises:
        RequestRefused: `snapshots-off`, `snapshots-too-many`, `crop-malformed`; `entry-unfit`, the
            entry is another door's, or opened.
    """
    session, moment = change.session, now()
    if not get_door(session, door).snapshots:
        raise RequestRefused("not wanted of this door", code="snapshots-off")
    decode_crops([taken.picture])
    entry = session.scalar(select(Entry).where(Entry.entry == taken.entry))
    if entry is not None and (entry.door_id != door or entry.granted):
        raise RequestRefused("not of a refusal at this door", code="entry-unfit")
    if session.get(Snapshot, taken.entry) is not None:
        return
    lately = select(func.count()).where(
        Snapshot.door_id == door, Snapshot.taken_at > moment - _HOUR
    )
    if (session.scalar(lately) or 0) >= MOST_AN_HOUR:
        raise RequestRefused("too many pictures", code="snapshots-too-many")
    owner = snapshot_owner(taken.entry)
    change.safe.add_owner(session, owner)
    sealed = change.safe.seal(session, owner, _CONTEXT, taken.picture)
    session.add(Snapshot(entry=taken.entry, door_id=door, sealed=sealed, taken_at=moment))
    session.flush()


def open_snapshot(session: Session, safe: Safe, entry: str) -> bytes:
    """Return the picture of a refusal, JPEG or PNG.

    Raises:
        NotFound: `snapshot-unknown`: there is none, or not any more, or the entry has not come.
    """
    row = session.get(Snapshot, entry)
    if row is None or entry not in pictured(session, [entry]):
        raise NotFound("no picture of this", code="snapshot-unknown")
    return safe.open(session, snapshot_owner(entry), _CONTEXT, row.sealed)


def pictured(session: Session, entries: Collection[str]) -> frozenset[str]:
    """Return of which of these entries, by id, there is a picture that may be shown."""
    found = (
        select(Snapshot.entry)
        .join(Entry, (Entry.entry == Snapshot.entry) & (Entry.door_id == Snapshot.door_id))
        .where(Snapshot.entry.in_(entries), ~Entry.granted)
    )
    return frozenset(session.scalars(found))


def forget_snapshots(change: Change, before: int, most: int) -> int:
    """Destroy pictures of before a Unix second, `most` at once; return how many."""
    old = select(Snapshot).where(Snapshot.taken_at < before).order_by(Snapshot.taken_at).limit(most)
    return _destroy(change, change.session.scalars(old).all())


def forget_snapshots_of(change: Change, person: str) -> int:
    """Destroy the pictures of refusals of somebody who is erased; return how many."""
    theirs = select(Snapshot).join(Entry, Entry.entry == Snapshot.entry)
    rows = change.session.scalars(theirs.where(Entry.person_id == person)).all()
    return _destroy(change, rows)


def _destroy(change: Change, rows: Sequence[Snapshot]) -> int:
    for row in rows:
        change.safe.destroy(change.session, snapshot_owner(row.entry))
        change.session.delete(row)
    if rows:
        change.session.flush()
        change.wipe()
    return len(rows)


def snapshot_owner(entry: str) -> str:
    """Return the owner of the data key that seals the picture of one refusal."""
    return f"snapshot:{entry}"
