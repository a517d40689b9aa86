"""The outbox: messages put in, seen, and given up; each function works inside a transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import new_id, now
from community_server.messages.gateways import Channel, Letter
from community_server.messages.tables import MESSAGES, OutgoingMessage, StaffMessage
from community_server.people.particulars import owner
from community_server.vault.safe import SERVER, Safe

RETRIES_S: Final = (60, 300, 1800, 7200, 6 * 3600)
"""After how long a message is tried again, each time; then it is given up."""


@dataclass(frozen=True)
class ShownMessage:
    """One message as the desk sees it, without its text; to a `person`, or to a member of staff."""

    id: str
    person: str
    staff: str
    channel: str
    state: str
    why: str
    attempts: int
    due_at: int
    created_at: int
    ended_at: int


def queue(
    change: Change, person: str, channel: Channel, to: str, subject: str, text: str, until: int
) -> str:
    """Put a message to a person into the outbox; return its id.

    Args:
        change: The change under way.
        person: Whose it is; their key seals it.
        channel: How it goes.
        to: Mail address or phone number.
        subject: Of a mail.
        text: What it says.
        until: Unix seconds after which it is of no use.
    """
    row = OutgoingMessage(person_id=person)
    return _queue(change, row, owner(person), channel, Letter(new_id(), to, subject, text), until)


def queue_for_staff(
    change: Change, staff: str, channel: Channel, to: str, subject: str, text: str, until: int
) -> str:
    """Put a message to a member of staff into the outbox, as `queue` does; return its id."""
    row = StaffMessage(staff_id=staff)
    return _queue(change, row, SERVER, channel, Letter(new_id(), to, subject, text), until)


def count_for_staff(session: Session, staff: str, since: int) -> int:
    """Return how many messages somebody of the staff was written since a Unix second."""
    query = select(func.count()).where(
        StaffMessage.staff_id == staff, StaffMessage.created_at > since
    )
    return session.scalar(query) or 0


def due(session: Session, channel: Channel, moment: int, most: int) -> list[str]:
    """Return the messages of a channel whose turn has come: staff's first, each the oldest first.

    An alarm does not wait for a building's invitations.
    """
    found: list[str] = []
    for table in MESSAGES:
        found += session.scalars(
            select(table.id)
            .where(table.state == "queued", table.channel == channel, table.due_at <= moment)
            .order_by(table.due_at, table.created_at, table.id)
            .limit(most - len(found))
        )
    return found


def open_letter(session: Session, safe: Safe, message: str) -> Letter | None:
    """Open a queued message; None for one that is not queued any more."""
    row = _find(session, message)
    if row is None or row.state != "queued" or row.sealed is None:
        return None
    holder = owner(row.person_id) if isinstance(row, OutgoingMessage) else SERVER
    data = safe.open(session, holder, _place(message), row.sealed)
    return msgspec.json.decode(data, type=Letter)


def note_sent(change: Change, message: str) -> None:
    """Note that a message was taken; its text goes."""
    _end(change, message, "sent", "")


def note_failed(change: Change, message: str, code: str, *, final: bool) -> None:
    """Note that a message was not taken: it is tried again later, or given up and its text goes."""
    row = _find(change.session, message, lock=True)
    if row is None:
        return
    row.attempts += 1
    again = now() + RETRIES_S[min(row.attempts, len(RETRIES_S)) - 1]
    if final or row.attempts > len(RETRIES_S) or again >= row.expires_at:
        _end(change, message, "failed", code)
    else:
        row.why, row.due_at = code, again


def list_messages(session: Session, limit: int) -> Sequence[ShownMessage]:
    """Return the newest messages, those that failed or wait before those sent."""
    rows: list[OutgoingMessage | StaffMessage] = []
    for table in MESSAGES:
        newest = (table.state == "sent", table.created_at.desc(), table.id)
        rows += session.scalars(select(table).order_by(*newest).limit(limit))
    rows.sort(key=lambda row: (row.state == "sent", -row.created_at, row.id))
    return [
        ShownMessage(
            id=row.id,
            person=row.person_id if isinstance(row, OutgoingMessage) else "",
            staff=row.staff_id if isinstance(row, StaffMessage) else "",
            channel=row.channel,
            state=row.state,
            why=row.why,
            attempts=row.attempts,
            due_at=row.due_at,
            created_at=row.created_at,
            ended_at=row.ended_at,
        )
        for row in rows[:limit]
    ]


def forget_messages(session: Session, before: int, most: int) -> int:
    """Delete that anybody was written to, of what ended before a Unix second, `most` at once.

    Return how many.
    """
    count = 0
    for table in MESSAGES:
        old = session.scalars(
            select(table.id)
            .where(table.state != "queued", table.ended_at < before)
            .limit(most - count)
        ).all()
        session.execute(delete(table).where(table.id.in_(old)))
        count += len(old)
    return count


def count_messages(session: Session) -> dict[str, int]:
    """Return how many messages are in each state."""
    counts: Counter[str] = Counter()
    for table in MESSAGES:
        counts.update(
            dict(session.execute(select(table.state, func.count()).group_by(table.state)).all())
        )
    return counts


def _queue(
    change: Change,
    row: OutgoingMessage | StaffMessage,
    holder: str,
    channel: Channel,
    letter: Letter,
    until: int,
) -> str:
    data = msgspec.json.encode(letter)
    row.id, row.channel, row.state = letter.id, channel, "queued"
    row.created_at = row.due_at = now()
    row.expires_at = until
    row.sealed = change.safe.seal(change.session, holder, _place(letter.id), data)
    change.session.add(row)
    change.session.flush()
    return letter.id


def _find(
    session: Session, message: str, *, lock: bool = False
) -> OutgoingMessage | StaffMessage | None:
    return session.get(OutgoingMessage, message, with_for_update=lock) or session.get(
        StaffMessage, message, with_for_update=lock
    )


def _end(change: Change, message: str, state: str, why: str) -> None:
    row = _find(change.session, message, lock=True)
    if row is not None:
        row.state, row.why, row.ended_at, row.sealed = state, why, now(), None
        change.session.flush()


def _place(message: str) -> str:
    return f"message/{message}"
