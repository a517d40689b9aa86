"""Looking at alarms: those that wait, those of a time, a door or a kind."""

from dataclasses import asdict, dataclass, field

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from access_rules.alarms import AlarmKind
from community_server.alarms.rules import Severity
from community_server.alarms.service import open_note
from community_server.alarms.tables import Alarm
from community_server.doors.tables import Door
from community_server.staff.tables import StaffMember
from community_server.vault.safe import Safe


@dataclass(frozen=True)
class ShownAlarm:
    """One alarm as staff see it. Times are Unix milliseconds, 0 for not yet.

    `door` and `door_name` are empty for an alarm of this server's own; `subject` is the person whom
    such a one is about, empty for nobody.
    """

    alarm: str
    door: str
    door_name: str
    kind: str
    subject: str
    severity: str
    active: bool
    raised_at: int
    cleared_at: int
    cleared_by: str
    time_known: bool
    acknowledged_at: int
    acknowledged_by: str
    note: str = field(repr=False)
    escalated_at: int
    escalated_again_at: int

    def as_json(self) -> dict[str, object]:
        """Return it as the API sends it."""
        return asdict(self)


@dataclass(frozen=True)
class AlarmFilter:
    """Which alarms are wanted; empty and 0 leave nothing out.

    `only_escalated` are those of which still nobody has taken notice; `door` is an id, or `server`
    for this server's own; `since` and `until` are Unix milliseconds, the second one not included;
    `before` is the alarm behind which a page goes on.
    """

    only_open: bool = False
    only_closed: bool = False
    only_escalated: bool = False
    alarm: str = ""
    kind: str = ""
    door: str = ""
    since: int = 0
    until: int = 0
    before: str = ""


def list_alarms(
    session: Session, safe: Safe, wanted: AlarmFilter, *, limit: int
) -> list[ShownAlarm]:
    """Return alarms, the newest first."""
    clearer, acknowledger = aliased(StaffMember), aliased(StaffMember)
    query = (
        select(Alarm, Door.name, clearer.username, acknowledger.username)
        .outerjoin(Door, Door.id == Alarm.door_id)
        .outerjoin(clearer, clearer.id == Alarm.cleared_by)
        .outerjoin(acknowledger, acknowledger.id == Alarm.acknowledged_by)
        .order_by(Alarm.raised_at.desc(), Alarm.alarm)
        .limit(limit)
    )
    return [
        _show(row, door or "", ended or "", seen or "", open_note(session, safe, row))
        for row, door, ended, seen in session.execute(_narrow(session, query, wanted))
    ]


def count_open(session: Session) -> int:
    """Return how many alarms wait for somebody: active, or over and not yet acknowledged."""
    return session.scalars(select(func.count()).select_from(Alarm).where(_is_open())).one()


def active_kinds(session: Session) -> dict[str | None, list[str]]:
    """Return the kinds of the alarms that are active, by door; the server's own at None."""
    found: dict[str | None, list[str]] = {}
    active = select(Alarm.door_id, Alarm.kind).where(Alarm.cleared_at == 0)
    for door, kind in session.execute(active.order_by(Alarm.raised_at)):
        found.setdefault(door, []).append(kind)
    return found


def active_subjects(session: Session, kind: AlarmKind) -> set[str]:
    """Return whom the active alarms of a kind are about."""
    query = select(Alarm.subject).where(Alarm.cleared_at == 0, Alarm.kind == kind.value)
    return set(session.scalars(query))


def _is_open() -> ColumnElement[bool]:
    waits = or_(Alarm.cleared_at == 0, Alarm.acknowledged_at == 0)
    return and_(waits, Alarm.severity != Severity.QUIET)


def _narrow(
    session: Session, query: Select[Alarm, str, str, str], wanted: AlarmFilter
) -> Select[Alarm, str, str, str]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.only_open:
        conditions.append(_is_open())
    if wanted.only_closed:
        conditions.append(not_(_is_open()))
    if wanted.only_escalated:
        conditions += [_is_open(), Alarm.acknowledged_at == 0, Alarm.escalated_at != 0]
    if wanted.alarm:
        conditions.append(Alarm.alarm == wanted.alarm)
    if wanted.kind:
        conditions.append(Alarm.kind == wanted.kind)
    if wanted.door:
        conditions.append(Alarm.door_id == (None if wanted.door == "server" else wanted.door))
    if wanted.since:
        conditions.append(Alarm.raised_at >= wanted.since)
    if wanted.until:
        conditions.append(Alarm.raised_at < wanted.until)
    last = session.get(Alarm, wanted.before) if wanted.before else None
    if last is not None:
        same = and_(Alarm.raised_at == last.raised_at, Alarm.alarm > last.alarm)
        conditions.append(or_(Alarm.raised_at < last.raised_at, same))
    return query.where(*conditions)


def _show(row: Alarm, door_name: str, cleared_by: str, seen_by: str, note: str) -> ShownAlarm:
    return ShownAlarm(
        alarm=row.alarm,
        door=row.door_id or "",
        door_name=door_name,
        kind=row.kind,
        subject=row.subject,
        severity=row.severity,
        active=row.cleared_at == 0,
        raised_at=row.raised_at,
        cleared_at=row.cleared_at,
        cleared_by=cleared_by,
        time_known=row.time_known,
        acknowledged_at=row.acknowledged_at * 1000,
        acknowledged_by=seen_by,
        note=note,
        escalated_at=row.escalated_at * 1000,
        escalated_again_at=row.escalated_again_at * 1000,
    )
