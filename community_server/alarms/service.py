"""Keeping alarms: each raised once, ended once, acknowledged by name, told to other systems."""

from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.rules import Severity, read_rules
from community_server.alarms.tables import Alarm
from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import InputRefused, NotFound
from community_server.events.kinds import (
    AlarmAcknowledged,
    AlarmEnded,
    AlarmEvent,
    AlarmRaised,
)
from community_server.events.service import tell
from community_server.vault.safe import SERVER, Safe
from tier_link.estate_messages import AlarmChanged

News = TypeVar("News", bound=AlarmEvent)

MAX_NOTE: Final = 200
"""Characters: what was found, in a line or two."""


def record_change(session: Session, door: str, message: AlarmChanged) -> None:
    """Keep what a door tells of an alarm, in the link's transaction; repeats change nothing."""
    at = message.at if message.time_known else now() * 1000
    row = session.get(Alarm, message.alarm)
    if row is None:
        row = _add(
            session, message.alarm, door, message.kind, raised_at=at, time_known=message.time_known
        )
    if row.door_id == door and not message.active and row.cleared_at == 0:
        # One millisecond at least: zero would say that it goes on.
        row.cleared_at, row.cleared_by = max(at, 1), message.by
        tell(session, news(AlarmEnded, row, by=message.by))
    session.flush()


def raise_alarm(session: Session, door: str | None, kind: AlarmKind, subject: str = "") -> bool:
    """Raise an alarm that the server itself notices, about a door or about itself (None).

    With a `subject`, the id of a person, it is about them. Says whether it is a new one.
    """
    same = select(Alarm.alarm).where(
        _active(door), Alarm.kind == kind.value, Alarm.subject == subject
    )
    if session.scalar(same):
        return False
    row = _add(session, new_id(), door, kind.value, raised_at=now() * 1000, time_known=True)
    row.subject = subject
    session.flush()
    return True


def end_alarms(
    session: Session, door: str | None, kind: AlarmKind | None = None, subject: str | None = None
) -> None:
    """End a door's alarms, of one kind or all: their cause is gone, or their terminal.

    With a `subject` only those about this person.
    """
    which = [_active(door)] + ([Alarm.kind == kind.value] if kind else [])
    which += [Alarm.subject == subject] if subject is not None else []
    for row in session.scalars(select(Alarm).where(*which).with_for_update()):
        row.cleared_at = now() * 1000
        tell(session, news(AlarmEnded, row, by=""))
    session.flush()


def acknowledge(change: Change, alarm: str, staff: str, note: str = "") -> bool:
    """Note who has seen an alarm and what they wrote; the first one counts. Say whether it is this.

    Raises:
        NotFound: `alarm-unknown`.
        InputRefused: `note-long`.
    """
    note = " ".join(note.split())
    if len(note) > MAX_NOTE:
        raise InputRefused(f"at most {MAX_NOTE} characters", field="note", code="note-long")
    session = change.session
    row = session.get(Alarm, alarm, with_for_update=True)
    if row is None:
        raise NotFound("no such alarm", code="alarm-unknown")
    if row.acknowledged_at:
        return False
    row.acknowledged_at, row.acknowledged_by = now(), staff
    if note:
        row.note = change.safe.seal(session, SERVER, _place(alarm), note.encode())
    audit(session, staff, "acknowledge-alarm", alarm)
    tell(session, news(AlarmAcknowledged, row, by=staff))
    return True


def open_note(session: Session, safe: Safe, row: Alarm) -> str:
    """Return what whoever acknowledged an alarm wrote."""
    return safe.open(session, SERVER, _place(row.alarm), row.note).decode() if row.note else ""


def _add(
    session: Session, alarm: str, door: str | None, kind: str, *, raised_at: int, time_known: bool
) -> Alarm:
    severity, moment = read_rules(session).of(kind).severity, now()
    row = Alarm(
        alarm=alarm,
        door_id=door,
        kind=kind,
        severity=severity,
        raised_at=raised_at,
        cleared_at=0,
        time_known=time_known,
        received_at=moment,
        # What asks nothing of anybody waits for nobody.
        acknowledged_at=moment if severity is Severity.QUIET else 0,
        escalated_at=0,
        escalated_again_at=0,
    )
    session.add(row)
    tell(session, news(AlarmRaised, row))
    return row


def news(kind: type[News], row: Alarm, **more: Any) -> News:
    """Return what other systems are told of an alarm; `more` are the fields of this kind alone."""
    return kind(
        alarm=row.alarm, door=row.door_id or "", what=row.kind, severity=row.severity, **more
    )


def _active(door: str | None) -> ColumnElement[bool]:
    return (Alarm.door_id == door) & (Alarm.cleared_at == 0)


def _place(alarm: str) -> str:
    return f"alarm/{alarm}"
