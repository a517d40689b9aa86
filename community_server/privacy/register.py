"""Who looked at what of whom: the audit log, read for the person whom it is about."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from community_server.audit.queries import names_of
from community_server.audit.tables import AuditRow
from community_server.entries.tables import Entry, EntryLook
from community_server.staff.tables import ApiToken, StaffMember
from community_server.vault.safe import SERVER, Safe

LOOKS: Final = (
    "look",
    "look-at-entries",
    "why-not",
    "see-snapshot",
    "export-entries",
    "export-person",
)
"""Actions by which somebody sees what is known of a person, or takes it away."""
_SNAPSHOT: Final = "see-snapshot"
"""This one's subject is an entry, not a person."""
_STATED: Final = re.compile(r"([a-z-]+) ([0-9a-f]{32}) people=\d+")
"""Of a look at entries: the reason's code and the row that holds what was written."""


@dataclass(frozen=True)
class Wanted:
    """Which looks; what is empty or 0 leaves all. Times are Unix seconds, `until` exclusive.

    `people` is who was looked at, None for anybody; `before` the number that a page ended with.
    """

    people: frozenset[str] | None = field(default=None, repr=False)
    staff: str = ""
    action: str = ""
    since: int = 0
    until: int = 0
    before: int = 0


@dataclass(frozen=True)
class Look:
    """One look. `by` is the account's or token's name, `role` the account's, empty for a token.

    `person` is an id, empty where it was not about one; `reason` a code, `note` what was written.
    """

    number: int
    at: int
    staff: str
    by: str
    role: str
    action: str
    person: str
    entry: str
    reason: str
    note: str = field(repr=False)


def list_looks(session: Session, safe: Safe, wanted: Wanted, limit: int) -> list[Look]:
    """List looks, the newest first."""
    query = select(AuditRow).where(*_clauses(wanted)).order_by(AuditRow.number.desc()).limit(limit)
    rows = session.scalars(query).all()
    names = names_of(session, {row.staff_id for row in rows})
    roles = roles_of(session, {row.staff_id for row in rows})
    entries = {row.subject for row in rows if row.action == _SNAPSHOT}
    whose = dict(
        session.execute(select(Entry.entry, Entry.person_id).where(Entry.entry.in_(entries))).all()
    )
    stated = {row.number: _STATED.fullmatch(row.detail) for row in rows}
    notes = _notes(session, safe, {found[2] for found in stated.values() if found})
    looks = []
    for row in rows:
        found = stated[row.number]
        is_entry = row.action == _SNAPSHOT
        looks.append(
            Look(
                number=row.number,
                at=row.at,
                staff=row.staff_id,
                by=names.get(row.staff_id, ""),
                role=roles.get(row.staff_id, ""),
                action=row.action,
                person=whose.get(row.subject, "") if is_entry else row.subject,
                entry=row.subject if is_entry else "",
                reason=found[1] if found else "",
                note=notes.get(found[2], "") if found else "",
            )
        )
    return looks


def roles_of(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Return the roles of those ids that are accounts."""
    found = select(StaffMember.id, StaffMember.role).where(StaffMember.id.in_(ids))
    return dict(session.execute(found).all())


def is_token(session: Session, id_: str) -> bool:
    """Say whether an id is a program's token."""
    return session.get(ApiToken, id_) is not None


def _clauses(wanted: Wanted) -> list[ColumnElement[bool]]:
    actions = (wanted.action,) if wanted.action in LOOKS else LOOKS
    found: list[ColumnElement[bool]] = [AuditRow.action.in_(actions)]
    if wanted.people is not None:
        theirs = select(Entry.entry).where(Entry.person_id.in_(wanted.people))
        found.append(
            or_(
                AuditRow.subject.in_(wanted.people),
                and_(AuditRow.action == _SNAPSHOT, AuditRow.subject.in_(theirs)),
            )
        )
    if wanted.staff:
        found.append(AuditRow.staff_id == wanted.staff)
    if wanted.since:
        found.append(AuditRow.at >= wanted.since)
    if wanted.until:
        found.append(AuditRow.at < wanted.until)
    if wanted.before:
        found.append(AuditRow.number < wanted.before)
    return found


def _notes(session: Session, safe: Safe, looks: Collection[str]) -> dict[str, str]:
    rows = session.scalars(select(EntryLook).where(EntryLook.id.in_(looks)))
    return {
        row.id: safe.open(session, SERVER, f"entry-look/{row.id}", row.note).decode()
        for row in rows
        if row.note
    }
