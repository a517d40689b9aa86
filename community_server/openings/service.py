"""The record of doors that staff opened, and of calls that they refused.

One audit row is written before a door is asked and one after, each in its own transaction.
An order without an outcome is one in which this server stopped.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import InputRefused
from community_server.openings.tables import Opening
from community_server.staff.tables import StaffMember
from community_server.vault.safe import SERVER, Safe

REASONS: Final = ("visitor", "known", "delivery", "service", "emergency", "other")
"""Why staff open a door; stable codes."""
REFUSALS: Final = ("unknown", "not-expected", "other-door", "desk", "other")
"""Why staff do not open to who rings; stable codes, which the door's screen has words for."""
MAX_NOTE: Final = 200
"""Characters: a line that is read again."""


@dataclass(frozen=True)
class Wish:
    """Why a door is to be opened, or not: one of `REASONS` or `REFUSALS`, and what staff wrote."""

    reason: str
    note: str = field(default="", repr=False)


@dataclass(frozen=True)
class ShownOpening:
    """One order as staff see it.

    `by` is the user name, `asked_at` Unix seconds; `outcome` is empty while nothing was heard.
    """

    entry: str
    door: str
    door_name: str
    by: str
    reason: str
    note: str = field(repr=False)
    asked_at: int
    outcome: str
    call: str
    refused: bool

    def as_json(self) -> dict[str, object]:
        """Return it as the API sends it."""
        return asdict(self)


def check_wish(reason: str, note: str, reasons: Sequence[str] = REASONS) -> Wish:
    """Return the wish that a form or program states.

    Raises:
        InputRefused: `reason-missing`, `note-missing`, `note-long`.
    """
    note = " ".join(note.split())
    if reason not in reasons:
        raise InputRefused("say why", field="reason", code="reason-missing")
    if reason == "other" and reasons is REASONS and not note:
        raise InputRefused("say why in words", field="note", code="note-missing")
    if len(note) > MAX_NOTE:
        raise InputRefused(f"at most {MAX_NOTE} characters", field="note", code="note-long")
    return Wish(reason, note)


def note_order(
    change: Change,
    door: str,
    staff: str,
    wish: Wish,
    *,
    entry: str,
    call: str = "",
    refused: bool = False,
) -> None:
    """Note what is about to be asked of a door: to open, or to refuse whoever rings by `call`."""
    note = None
    if wish.note:
        note = change.safe.seal(change.session, SERVER, _place(entry), wish.note.encode())
    change.session.add(
        Opening(
            entry=entry,
            door_id=door,
            staff_id=staff,
            reason=wish.reason,
            note=note,
            asked_at=now(),
            call=call,
            refused=refused,
        )
    )
    action = "refuse-call" if refused else "open-door"
    audit(change.session, staff, action, door, f"{wish.reason} {entry}")


def note_outcome(change: Change, entry: str, outcome: str) -> None:
    """Note what came of it."""
    row = change.session.get_one(Opening, entry)
    row.outcome, row.ended_at = outcome, now()
    action = "refuse-call-outcome" if row.refused else "open-door-outcome"
    audit(change.session, row.staff_id, action, row.door_id, f"{outcome} {entry}")


def list_openings(
    session: Session, safe: Safe, *, door: str = "", limit: int = 100
) -> list[ShownOpening]:
    """Return orders, the newest first, of one door or of all."""
    query = (
        select(Opening, Door.name, StaffMember.username)
        .join(Door, Door.id == Opening.door_id)
        .outerjoin(StaffMember, StaffMember.id == Opening.staff_id)
        .order_by(Opening.asked_at.desc(), Opening.entry)
        .limit(limit)
    )
    if door:
        query = query.where(Opening.door_id == door)
    return [
        ShownOpening(
            entry=row.entry,
            door=row.door_id,
            door_name=name,
            by=username or "",
            reason=row.reason,
            note=_read_note(session, safe, row),
            asked_at=row.asked_at,
            outcome=row.outcome,
            call=row.call,
            refused=row.refused,
        )
        for row, name, username in session.execute(query)
    ]


def _read_note(session: Session, safe: Safe, row: Opening) -> str:
    return safe.open(session, SERVER, _place(row.entry), row.note).decode() if row.note else ""


def _place(entry: str) -> str:
    return f"opening/{entry}"
