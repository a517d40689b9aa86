"""What the access groups say, read at once: which doors they name, at which hours."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.access.tables import AccessGroup, GroupDoor, Schedule, ScheduleWindow
from tier_link.estate_messages import GroupHours, HolidayRule, WeeklyWindow


@dataclass(frozen=True)
class Group:
    """One group: its doors (None: every door), and its hours (no windows: any hour)."""

    doors: frozenset[str] | None
    windows: tuple[WeeklyWindow, ...] = ()
    on_holidays: HolidayRule = "usual"

    def names(self, door: str) -> bool:
        """Say whether a door is one of the group's."""
        return self.doors is None or door in self.doors


@dataclass(frozen=True)
class Groups:
    """All groups by number; `default` is that of whoever has neither groups nor own doors."""

    known: Mapping[int, Group] = field(default_factory=dict)
    default: int | None = None

    def effective(self, own: Iterable[int], doors: frozenset[str]) -> tuple[int, ...]:
        """Return whose hours decide for somebody with these groups and doors of their own."""
        if doors:
            return ()
        return tuple(sorted(own)) or ((self.default,) if self.default is not None else ())

    def admit(self, groups: Iterable[int], door: str) -> bool:
        """Say whether one of somebody's groups names a door, at whatever hours."""
        return any(one in self.known and self.known[one].names(door) for one in groups)

    def hours_at(self, door: str) -> tuple[GroupHours, ...]:
        """Return what a door is told: the groups that name it, with their hours."""
        return tuple(
            GroupHours(number, group.windows, group.on_holidays)
            for number, group in sorted(self.known.items())
            if group.names(door)
        )

    def unlimited(self, groups: Iterable[int]) -> bool:
        """Say whether one of these groups opens every door at any hour."""
        found = [self.known[one] for one in groups if one in self.known]
        return any(one.doors is None and not one.windows for one in found)

    def doors_of(self, groups: Iterable[int]) -> frozenset[str] | None:
        """Return the doors that any of these groups names; None for every door."""
        doors: set[str] = set()
        for one in groups:
            if one in self.known:
                named = self.known[one].doors
                if named is None:
                    return None
                doors |= named
        return frozenset(doors)


def load_groups(session: Session) -> Groups:
    """Read all groups, with one query per table."""
    doors: defaultdict[int, set[str]] = defaultdict(set)
    for group, door in session.execute(select(GroupDoor.group_id, GroupDoor.door_id)):
        doors[group].add(door)
    windows = windows_of_schedules(session)
    rows = session.execute(
        select(
            AccessGroup.id,
            AccessGroup.every_door,
            AccessGroup.is_default,
            Schedule.id,
            Schedule.on_holidays,
        )
        .join(Schedule, Schedule.id == AccessGroup.schedule_id, isouter=True)
        .order_by(AccessGroup.id)
    ).all()
    return Groups(
        {
            number: Group(
                None if every_door else frozenset(doors[number]),
                windows.get(schedule or "", ()),
                cast("HolidayRule", on_holidays or "usual"),
            )
            for number, every_door, _, schedule, on_holidays in rows
        },
        next((number for number, _, is_default, _, _ in rows if is_default), None),
    )


def windows_of_schedules(session: Session) -> dict[str, tuple[WeeklyWindow, ...]]:
    """Return the windows of all schedules, in the order they were written in."""
    windows: defaultdict[str, list[WeeklyWindow]] = defaultdict(list)
    for row in session.scalars(select(ScheduleWindow).order_by(ScheduleWindow.id)):
        window = WeeklyWindow(row.weekdays, row.start_minute, row.end_minute)
        windows[row.schedule_id].append(window)
    return {schedule: tuple(found) for schedule, found in windows.items()}
