"""Telling events, numbering them, and reading them behind a number."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from community_server.database import new_id, now
from community_server.errors import Conflict
from community_server.events.kinds import EventBody
from community_server.events.tables import Event

AT_ONCE: Final = 500
"""Events numbered in one transaction."""


@dataclass(frozen=True)
class ShownEvent:
    """One event as other systems see it; `at` in Unix seconds."""

    number: int
    event: str
    kind: str
    at: int
    data: dict[str, Any]

    def as_json(self) -> dict[str, object]:
        """Return it as every way out sends it."""
        return asdict(self)


def tell(session: Session, body: EventBody) -> None:
    """Write an event, in the transaction of what it tells of."""
    session.add(
        Event(
            event=new_id(),
            kind=body.kind,
            at=now(),
            body=json.dumps(body.as_json(), separators=(",", ":")),
        )
    )


def has_new(session: Session) -> bool:
    """Say whether there are events that have no number yet."""
    return session.scalar(select(Event.id).where(Event.number.is_(None)).limit(1)) is not None


def number_events(session: Session) -> Sequence[ShownEvent]:
    """Number what has been committed since the last time; one caller at a time.

    A number drawn when an event is written would show up out of order where transactions overlap,
    and whoever had read on meanwhile would never see it.
    """
    rows = session.scalars(
        select(Event).where(Event.number.is_(None)).order_by(Event.id).limit(AT_ONCE)
    ).all()
    last = newest_number(session) if rows else 0
    for number, row in enumerate(rows, last + 1):
        row.number = number
    session.flush()
    return [show(row) for row in rows]


def newest_number(session: Session) -> int:
    """Return the number of the newest event, 0 before the first."""
    return session.scalar(select(func.max(Event.number))) or 0


def oldest_number(session: Session) -> int:
    """Return the number of the oldest event that is kept, or of the next one to come."""
    oldest = session.scalar(select(func.min(Event.number)))
    return newest_number(session) + 1 if oldest is None else oldest


def read_events(
    session: Session, *, after: int, limit: int, kinds: Sequence[str] = ()
) -> Sequence[ShownEvent]:
    """Return the events behind a number, in order, of some kinds or all.

    Raises:
        Conflict: `cursor-too-old`: events behind it are gone; `cursor-unknown`: there is no such
            number yet, since this server was put back to an older state.
    """
    if after > newest_number(session):
        raise Conflict("no event has this number yet", code="cursor-unknown")
    if after < oldest_number(session) - 1:
        raise Conflict("the events behind this are gone", code="cursor-too-old")
    return behind(session, after, limit, kinds)


def behind(
    session: Session, number: int, limit: int, kinds: Sequence[str] = ()
) -> Sequence[ShownEvent]:
    """Return what is kept of the events behind a number, in order, of some kinds or all."""
    query = select(Event).where(Event.number > number).order_by(Event.number).limit(limit)
    if kinds:
        query = query.where(Event.kind.in_(kinds))
    return [show(row) for row in session.scalars(query)]


def find_event(session: Session, number: int) -> ShownEvent | None:
    """Return one event."""
    row = session.scalar(select(Event).where(Event.number == number))
    return show(row) if row else None


def forget_events(session: Session, before: int, most: int) -> int:
    """Delete events of before a Unix second, `most` at once; the newest stays, it holds the number.

    Return how many.
    """
    old = session.scalars(
        select(Event.id)
        .where(
            Event.at < before,
            Event.number.is_not(None),
            Event.number < newest_number(session),
        )
        .order_by(Event.at)
        .limit(most)
    ).all()
    session.execute(delete(Event).where(Event.id.in_(old)))
    return len(old)


def show(row: Event) -> ShownEvent:
    """Return a numbered event as other systems see it."""
    return ShownEvent(row.number or 0, row.event, row.kind, row.at, json.loads(row.body))
