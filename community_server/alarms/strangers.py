"""Somebody whom nobody knows tries a door again and again."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from access_rules.decision import DecisionReason
from community_server.alarms.rules import read_rules
from community_server.alarms.service import end_alarms, raise_alarm
from community_server.database import now
from community_server.entries.tables import Entry
from tier_link.estate_messages import EntryRecorded

TRIES: Final = (
    DecisionReason.NOT_RECOGNIZED,
    DecisionReason.SPOOF_SUSPECTED,
    DecisionReason.PIN_WRONG,
    DecisionReason.PIN_LOCKED,
    DecisionReason.CREDENTIAL_UNKNOWN,
    DecisionReason.CARDS_LOCKED,
    DecisionReason.PASS_FORGED,
    DecisionReason.PASS_FOREIGN,
)
"""Refusals of somebody who may be nobody's resident; others mean a known person or a fault."""


def notice_try(session: Session, door: str, entry: EntryRecorded) -> None:
    """Raise the alarm where an entry just kept is one try too many.

    By the door's own time: what a door that was offline tells late is no news to run for.
    """
    if entry.granted or entry.person or entry.reason not in TRIES:
        return
    rule = read_rules(session).of(AlarmKind.STRANGERS)
    if _tries(session, door, rule.after_min) >= rule.most:
        raise_alarm(session, door, AlarmKind.STRANGERS)


def end_if_quiet(session: Session, door: str) -> None:
    """End the alarm of a door at which nobody unknown has tried for the whole time of its rule."""
    if not _tries(session, door, read_rules(session).of(AlarmKind.STRANGERS).after_min):
        end_alarms(session, door, AlarmKind.STRANGERS)


def _tries(session: Session, door: str, minutes: int) -> int:
    since = (now() - minutes * 60) * 1000
    query = select(func.count()).where(
        Entry.door_id == door,
        Entry.at >= since,
        Entry.person_id == "",
        Entry.granted.is_(False),
        Entry.reason.in_(TRIES),
    )
    return session.scalars(query.select_from(Entry)).one()
