"""Keeping alarms: each once, ended once, acknowledged by name."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from access_rules.alarms import AlarmKind
from community_server.alarms.tables import Alarm
from community_server.database import new_id, now
from community_server.doors.tables import Door
from community_server.errors import NotFound
from community_server.staff.tables import StaffMember
from tier_link.estate_messages import AlarmChanged


@dataclass(frozen=True)
class ShownAlarm:
    """One alarm as staff see it. Times are Unix milliseconds, 0 for not yet."""

    alarm: str
    door: str
    door_name: str
    kind: str
    active: bool
    raised_at: int
    cleared_at: int
    cleared_by: str
    time_known: bool
    acknowledged_at: int
    acknowledged_by: str

    def as_json(self) -> dict[str, object]:
        """Return it as the API sends it."""
        return asdict(self)


def record_change(session: Session, door: str, message: AlarmChanged) -> None:
    """Keep what a door tells of an alarm, in the link's transaction; repeats change nothing."""
    at = message.at if message.time_known else now() * 1000
    row = session.get(Alarm, message.alarm)
    if row is None:
        row = Alarm(
            alarm=message.alarm,
            door_id=door,
            kind=message.kind,
            raised_at=at,
            cleared_at=0,
            time_known=message.time_known,
            received_at=now(),
        )
        session.add(row)
    if row.door_id == door and not message.active and row.cleared_at == 0:
        # One millisecond at least: zero would say that it goes on.
        row.cleared_at, row.cleared_by = max(at, 1), message.by
    session.flush()


def raise_alarm(session: Session, door: str, kind: AlarmKind) -> bool:
    """Raise an alarm about a door that the server itself notices; say whether it is a new one."""
    if session.scalar(select(Alarm.alarm).where(_active(door), Alarm.kind == kind.value)):
        return False
    moment = now()
    session.add(
        Alarm(
            alarm=new_id(),
            door_id=door,
            kind=kind.value,
            raised_at=moment * 1000,
            time_known=True,
            received_at=moment,
        )
    )
    return True


def end_alarms(session: Session, door: str, kind: AlarmKind | None = None) -> None:
    """End a door's alarms, of one kind or all: their cause is gone, or their terminal."""
    which = [_active(door)] + ([Alarm.kind == kind.value] if kind else [])
    session.execute(update(Alarm).where(*which).values(cleared_at=now() * 1000))


def acknowledge(session: Session, alarm: str, staff: str) -> bool:
    """Note who has seen an alarm; the first one counts. Say whether this was the first.

    Raises:
        NotFound: `alarm-unknown`.
    """
    row = session.get(Alarm, alarm, with_for_update=True)
    if row is None:
        raise NotFound("no such alarm", code="alarm-unknown")
    if row.acknowledged_at:
        return False
    row.acknowledged_at, row.acknowledged_by = now(), staff
    return True


def list_alarms(session: Session, *, only_open: bool, limit: int) -> list[ShownAlarm]:
    """Return alarms, the newest first.

    Args:
        session: the transaction.
        only_open: leave out what is over and acknowledged.
        limit: at most so many.
    """
    clearer, acknowledger = aliased(StaffMember), aliased(StaffMember)
    query = (
        select(Alarm, Door.name, clearer.username, acknowledger.username)
        .join(Door, Door.id == Alarm.door_id)
        .outerjoin(clearer, clearer.id == Alarm.cleared_by)
        .outerjoin(acknowledger, acknowledger.id == Alarm.acknowledged_by)
        .order_by(Alarm.raised_at.desc(), Alarm.alarm)
        .limit(limit)
    )
    if only_open:
        query = query.where(_is_open())
    return [
        _show(row, door, ended or "", seen or "")
        for row, door, ended, seen in session.execute(query)
    ]


def count_open(session: Session) -> int:
    """Return how many alarms wait for somebody: active, or over and not yet acknowledged."""
    return session.scalars(select(func.count()).select_from(Alarm).where(_is_open())).one()


def active_kinds(session: Session) -> dict[str, list[str]]:
    """Return the kinds of the alarms that are active, by door."""
    found: dict[str, list[str]] = {}
    rows: Sequence[tuple[str, str]] = [
        (door, kind)
        for door, kind in session.execute(
            select(Alarm.door_id, Alarm.kind).where(Alarm.cleared_at == 0).order_by(Alarm.raised_at)
        )
    ]
    for door, kind in rows:
        found.setdefault(door, []).append(kind)
    return found


def _active(door: str) -> ColumnElement[bool]:
    return (Alarm.door_id == door) & (Alarm.cleared_at == 0)


def _is_open() -> ColumnElement[bool]:
    return or_(Alarm.cleared_at == 0, Alarm.acknowledged_at == 0)


def _show(row: Alarm, door_name: str, cleared_by: str, acknowledged_by: str) -> ShownAlarm:
    return ShownAlarm(
        alarm=row.alarm,
        door=row.door_id,
        door_name=door_name,
        kind=row.kind,
        active=row.cleared_at == 0,
        raised_at=row.raised_at,
        cleared_at=row.cleared_at,
        cleared_by=cleared_by,
        time_known=row.time_known,
        acknowledged_at=row.acknowledged_at * 1000,
        acknowledged_by=acknowledged_by,
    )
