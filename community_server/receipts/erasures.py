"""Noting an erasure, in its own transaction, and which doors have to be heard."""

import hashlib
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import new_id, now
from community_server.doors.tables import Door, RosterMember
from community_server.intake.tables import Enrollment
from community_server.people.tables import Person, Template
from community_server.receipts.tables import Erasure, ErasureDoor
from tier_kit.forms.limits import REPLY_LIFETIME
from tier_link.estate_messages import ESTATE, RosterDelta, RosterSnapshot
from tier_link.receipts import Kept
from tier_link.store.tables import LinkOutbox

_ROSTER_KINDS: Final = (ESTATE.kind(RosterDelta), ESTATE.kind(RosterSnapshot))


def begin_erasure(change: Change, person: Person, kept: Kept) -> None:
    """Note that somebody, or their face alone, is being erased, before anything is deleted.

    The rosters that the doors have to prove are those that this change ends with; `note_versions`
    fills them in.
    """
    session = change.session
    session.flush()
    template = session.get(Template, person.id)
    row = Erasure(
        id=new_id(),
        person_id=person.id,
        kept=kept,
        category=person.category,
        template_space=template.space if template else "",
        begun_at=now(),
        number=0,
    )
    if kept == "person":
        _note_reader(session, row)
    session.add(row)
    session.flush()
    session.add_all(
        ErasureDoor(erasure_id=row.id, door_id=door, roster_version=0, terminal=terminal_of(key))
        for door, key in _holding(session, person.id)
    )
    session.flush()
    change.erasures.add(row.id)
    change.forgotten.add(person.id)


def note_versions(change: Change) -> None:
    """Note the roster that each door has to prove, after the doors have been told."""
    if not change.erasures:
        return
    rows = change.session.execute(
        select(ErasureDoor, Door.roster_version)
        .join(Door, Door.id == ErasureDoor.door_id)
        .where(ErasureDoor.erasure_id.in_(change.erasures))
    )
    for row, version in rows:
        row.roster_version = version
    change.session.flush()


def terminal_of(public_key: bytes | None) -> str:
    """Return what tells a door's terminal from one paired in its place; empty without one."""
    return hashlib.sha256(public_key).hexdigest() if public_key else ""


def _holding(session: Session, person: str) -> list[tuple[str, bytes | None]]:
    """Return id and key of the doors that hold a person, or may.

    May: they have not taken yet all that they were told. Columns alone: the doors' rows are locked
    later, and read then.
    """
    members = select(RosterMember.door_id).where(RosterMember.person_id == person)
    behind = select(LinkOutbox.peer).where(
        LinkOutbox.kind.in_(_ROSTER_KINDS), LinkOutbox.acknowledged_at.is_(None)
    )
    rows = session.execute(
        select(Door.id, Door.public_key)
        .where(Door.state == "paired", Door.id.in_(members) | Door.id.in_(behind))
        .order_by(Door.id)
    )
    return [(door, key) for door, key in rows]


def _note_reader(session: Session, row: Erasure) -> None:
    """Note to whom the receipt is sealed: the last who enrolled by the cloud, while it takes it."""
    since = now() - int(REPLY_LIFETIME / timedelta(seconds=1))
    last = session.scalar(
        select(Enrollment)
        .where(
            Enrollment.person_id == row.person_id,
            Enrollment.origin == "cloud",
            Enrollment.reply_key != b"",
        )
        .order_by(Enrollment.received_at.desc(), Enrollment.id)
        .limit(1)
    )
    if last is None or max(last.received_at, last.decided_at) < since:
        return
    row.envelope, row.reply_key, row.number = last.id, last.reply_key, last.replies + 1
