"""Nobody follows a single person through the log without saying why.

A stated reason holds for an hour, for those people and whoever stated it. The audit log has one
row per person looked at; what staff wrote stays sealed here.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import new_id, now
from community_server.entries.tables import EntryLook
from community_server.errors import InputRefused
from community_server.vault.safe import SERVER

REASONS: Final = ("asked", "incident", "safety", "authority", "fault", "other")
"""Why staff look at somebody's entries; stable codes."""
LASTS: Final = 3600
"""Seconds for which a stated reason holds."""
MAX_NOTE: Final = 200
"""Characters: a line that is read again."""
MOST_NAMED: Final = 20
"""A search that means more people than these gets one row in the audit log, with their number."""


def state_reason(change: Change, staff: str, people: frozenset[str], reason: str, note: str) -> str:
    """Note why somebody looks at these people's entries; return the look's id.

    Raises:
        InputRefused: `reason-missing`, `note-missing`, `note-long`.
    """
    said = " ".join(note.split())
    if reason not in REASONS:
        raise InputRefused("say why", field="reason", code="reason-missing")
    if reason == "other" and not said:
        raise InputRefused("say why in words", field="note", code="note-missing")
    if len(said) > MAX_NOTE:
        raise InputRefused(f"at most {MAX_NOTE} characters", field="note", code="note-long")
    look = new_id()
    sealed = change.safe.seal(change.session, SERVER, f"entry-look/{look}", said.encode())
    row = EntryLook(
        id=look,
        staff_id=staff,
        people=_digest(people),
        reason=reason,
        note=sealed if said else None,
        at=now(),
    )
    change.session.add(row)
    subjects: Sequence[str] = sorted(people) if len(people) <= MOST_NAMED else ("",)
    for person in subjects:
        detail = f"{reason} {look} people={len(people)}"
        audit(change.session, staff, "look-at-entries", person, detail)
    return look


def check_look(
    session: Session, look: str, staff: str, people: frozenset[str] | None
) -> EntryLook | None:
    """Let somebody look at these people's entries if they said why; None where nobody is meant.

    Raises:
        InputRefused: `look-reason-needed`.
    """
    if not people:
        return None
    row = session.get(EntryLook, look) if look else None
    if (
        row is None
        or row.staff_id != staff
        or row.people != _digest(people)
        or row.at + LASTS <= now()
    ):
        raise InputRefused(
            "say first why you look at these people's entries",
            field="look",
            code="look-reason-needed",
        )
    return row


def forget_looks(session: Session, before: int, most: int) -> int:
    """Delete the reasons given before a Unix second, `most` at once; return how many."""
    old = session.scalars(select(EntryLook.id).where(EntryLook.at < before).limit(most)).all()
    session.execute(delete(EntryLook).where(EntryLook.id.in_(old)))
    return len(old)


def _digest(people: frozenset[str]) -> str:
    return hashlib.sha256("\n".join(sorted(people)).encode()).hexdigest()
