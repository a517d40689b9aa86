"""Schedules: named weeks, and what holds on holidays."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from access_rules.schedules import WeeklyWindow as Window
from community_server.access.groups import windows_of_schedules
from community_server.access.tables import AccessGroup, Schedule, ScheduleWindow
from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused, NotFound
from tier_link.estate_messages import MOST_WINDOWS, HolidayRule, WeeklyWindow

MAX_NAME = 64


@dataclass(frozen=True)
class Week:
    """A schedule as somebody writes it."""

    name: str
    windows: tuple[WeeklyWindow, ...]
    on_holidays: HolidayRule


@dataclass(frozen=True)
class ListedSchedule(Week):
    """A schedule as it is kept; `groups` is how many go by it."""

    id: str
    groups: int


def list_schedules(session: Session) -> list[ListedSchedule]:
    """Return all schedules, by name."""
    windows = windows_of_schedules(session)
    counts = select(AccessGroup.schedule_id, func.count()).group_by(AccessGroup.schedule_id)
    groups = dict(session.execute(counts).all())
    return [
        ListedSchedule(
            name=row.name,
            windows=windows.get(row.id, ()),
            on_holidays=row.on_holidays,  # type: ignore[arg-type]  # of `HolidayRule` alone
            id=row.id,
            groups=groups.get(row.id, 0),
        )
        for row in session.scalars(select(Schedule).order_by(Schedule.name))
    ]


def find_schedule(session: Session, schedule: str) -> ListedSchedule:
    """Return one schedule.

    Raises:
        NotFound: `schedule-unknown`.
    """
    found = next((one for one in list_schedules(session) if one.id == schedule), None)
    if found is None:
        raise NotFound("no such schedule", code="schedule-unknown")
    return found


def add_schedule(change: Change, week: Week) -> str:
    """Add a schedule; return its id.

    Raises:
        InputRefused: `name-missing`, `name-taken`, `windows-missing`, `windows-wrong`.
    """
    schedule = new_id()
    _check(change.session, week, schedule)
    row = Schedule(id=schedule, name=week.name, on_holidays=week.on_holidays, created_at=now())
    change.session.add(row)
    change.session.flush()
    _write(change.session, schedule, week.windows)
    return schedule


def change_schedule(change: Change, schedule: str, week: Week) -> None:
    """Change a schedule; doors hear of it at once.

    Raises:
        NotFound: `schedule-unknown`.
        InputRefused: as `add_schedule`.
    """
    row = _get(change.session, schedule)
    _check(change.session, week, schedule)
    row.name, row.on_holidays = week.name, week.on_holidays
    change.session.execute(delete(ScheduleWindow).where(ScheduleWindow.schedule_id == schedule))
    _write(change.session, schedule, week.windows)
    change.reconfigure()


def remove_schedule(change: Change, schedule: str) -> None:
    """Remove a schedule that no group goes by.

    Raises:
        NotFound: `schedule-unknown`.
        Conflict: `schedule-used`.
    """
    row = _get(change.session, schedule)
    used = select(func.count()).select_from(AccessGroup).where(AccessGroup.schedule_id == schedule)
    if change.session.scalars(used).one():
        raise Conflict("groups go by this schedule", code="schedule-used")
    change.session.delete(row)
    change.session.flush()


def _get(session: Session, schedule: str) -> Schedule:
    row = session.get(Schedule, schedule, with_for_update=True)
    if row is None:
        raise NotFound("no such schedule", code="schedule-unknown")
    return row


def _write(session: Session, schedule: str, windows: Sequence[WeeklyWindow]) -> None:
    session.add_all(
        ScheduleWindow(
            schedule_id=schedule,
            weekdays=one.weekday_mask,
            start_minute=one.start_minute,
            end_minute=one.end_minute,
        )
        for one in windows
    )
    session.flush()


def _check(session: Session, week: Week, schedule: str) -> None:
    if not week.name or len(week.name) > MAX_NAME:
        raise InputRefused("a schedule has a name", field="name", code="name-missing")
    taken = select(Schedule.id).where(Schedule.name == week.name, Schedule.id != schedule)
    if session.scalars(taken).first() is not None:
        raise InputRefused("another has this name", field="name", code="name-taken")
    if not week.windows:
        raise InputRefused("a schedule has hours", field="windows", code="windows-missing")
    if len(week.windows) > MOST_WINDOWS:
        raise InputRefused("too many spans", field="windows", code="windows-wrong")
    for one in week.windows:
        try:
            Window(one.weekday_mask, one.start_minute, one.end_minute)
        except ValueError as error:
            raise InputRefused(str(error), field="windows", code="windows-wrong") from error
