"""The outbox: messages put in, seen, and given up; each function works inside a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import new_id, now
from community_server.messages.gateways import Channel, Letter
from community_server.messages.tables import OutgoingMessage
from community_server.people.particulars import owner
from community_server.vault.safe import Safe

RETRIES_S: Final = (60, 300, 1800, 7200, 6 * 3600)
"""After how long a message is tried again, each time; then it is given up."""


@dataclass(frozen=True)
class ShownMessage:
    """One message as the desk sees it, without its text."""

    id: str
    person: str
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
    number = new_id()
    letter = Letter(number, to, subject, text)
    data = msgspec.json.encode(letter)
    change.session.add(
        OutgoingMessage(
            id=number,
            person_id=person,
            channel=channel,
            state="queued",
            due_at=now(),
            expires_at=until,
            sealed=change.safe.seal(change.session, owner(person), _place(number), data),
            created_at=now(),
        )
    )
    change.session.flush()
    return number


def due(session: Session, channel: Channel, moment: int, most: int) -> list[str]:
    """Return the messages of a channel whose turn has come, the oldest first."""
    return list(
        session.scalars(
            select(OutgoingMessage.id)
            .where(
                OutgoingMessage.state == "queued",
                OutgoingMessage.channel == channel,
                OutgoingMessage.due_at <= moment,
            )
            .order_by(OutgoingMessage.due_at, OutgoingMessage.created_at, OutgoingMessage.id)
            .limit(most)
        )
    )


def open_letter(session: Session, safe: Safe, message: str) -> Letter | None:
    """Open a queued message; None for one that is not queued any more."""
    row = session.get(OutgoingMessage, message)
    if row is None or row.state != "queued" or row.sealed is None:
        return None
    data = safe.open(session, owner(row.person_id), _place(message), row.sealed)
    return msgspec.json.decode(data, type=Letter)


def note_sent(change: Change, message: str) -> None:
    """Note that a message was taken; its text goes."""
    _end(change, message, "sent", "")


def note_failed(change: Change, message: str, code: str, *, final: bool) -> None:
    """Note that a message was not taken: it is tried again later, or given up and its text goes."""
    row = change.session.get(OutgoingMessage, message, with_for_update=True)
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
    rows = session.scalars(
        select(OutgoingMessage)
        .order_by(
            OutgoingMessage.state == "sent",
            OutgoingMessage.created_at.desc(),
            OutgoingMessage.id,
        )
        .limit(limit)
    )
    return [
        ShownMessage(
            id=row.id,
            person=row.person_id,
            channel=row.channel,
            state=row.state,
            why=row.why,
            attempts=row.attempts,
            due_at=row.due_at,
            created_at=row.created_at,
            ended_at=row.ended_at,
        )
        for row in rows
    ]


def forget_messages(session: Session, before: int, most: int) -> int:
    """Delete that people were written to, of what ended before a Unix second, `most` at once.

    Return how many.
    """
    old = session.scalars(
        select(OutgoingMessage.id)
        .where(OutgoingMessage.state != "queued", OutgoingMessage.ended_at < before)
        .limit(most)
    ).all()
    session.execute(delete(OutgoingMessage).where(OutgoingMessage.id.in_(old)))
    return len(old)


def count_messages(session: Session) -> dict[str, int]:
    """Return how many messages are in each state."""
    counts = select(OutgoingMessage.state, func.count()).group_by(OutgoingMessage.state)
    return dict(session.execute(counts).all())


def _end(change: Change, message: str, state: str, why: str) -> None:
    row = change.session.get(OutgoingMessage, message, with_for_update=True)
    if row is not None:
        row.state, row.why, row.ended_at, row.sealed = state, why, now(), None
        change.session.flush()


def _place(message: str) -> str:
    return f"message/{message}"
