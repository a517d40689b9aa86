"""Another system's units, schedules and access groups: each function works in a `Change`."""

from collections.abc import Mapping

from sqlalchemy import select

from community_server.access.routes import ScheduleRequest
from community_server.access.schedules import (
    add_schedule,
    change_schedule,
    find_schedule,
    remove_schedule,
)
from community_server.access.service import (
    GroupWanted,
    add_group,
    change_group,
    find_group,
    remove_group,
)
from community_server.access.tables import AccessGroup, Schedule
from community_server.change import Change
from community_server.errors import Conflict, InputRefused
from community_server.households.service import (
    Home,
    household_at,
    remove_household,
    renumber_household,
)
from community_server.households.tables import Household
from community_server.sync.items import Done, GroupItem, HouseholdItem

GONE = Done("unchanged")
"""What was to be removed and is not here."""


def put_household(change: Change, external_id: str, item: HouseholdItem) -> Done:
    """Make a unit what another system says; one that has no other id yet takes this one.

    Raises:
        InputRefused: `unit-missing`, `unit-long`.
        Conflict: `household-taken`, another id has that unit.
    """
    home = Home(item.building.strip(), item.number.strip())
    row = change.session.scalar(select(Household).where(Household.external_id == external_id))
    if row is not None:
        if (row.building, row.number) == (home.building, home.number):
            return Done("unchanged", row.id)
        renumber_household(change, row, home)
        return Done("updated", row.id, ("building", "number"))
    there = change.session.scalar(select(Household.id).where(Household.unit == home.unit))
    row = household_at(change.session, home)
    if row.external_id is not None:
        raise Conflict("another id has this unit", code="household-taken")
    row.external_id = external_id
    change.session.flush()
    return Done("updated", row.id, ("external_id",)) if there else Done("created", row.id)


def put_schedule(change: Change, external_id: str, item: ScheduleRequest) -> Done:
    """Make a schedule what another system says.

    Raises:
        InputRefused: as `add_schedule`.
    """
    week = item.week()
    row = change.session.scalar(select(Schedule).where(Schedule.external_id == external_id))
    if row is None:
        schedule = add_schedule(change, week)
        change.session.get_one(Schedule, schedule).external_id = external_id
        change.session.flush()
        return Done("created", schedule)
    known = find_schedule(change.session, row.id)
    changed = differing(
        known, week, {"name": "name", "windows": "hours", "on_holidays": "on_holidays"}
    )
    if changed:
        change_schedule(change, row.id, week)
    return Done("updated" if changed else "unchanged", row.id, changed)


def put_group(change: Change, external_id: str, item: GroupItem) -> Done:
    """Make an access group what another system says.

    Raises:
        InputRefused: as `add_group`.
    """
    wanted = GroupWanted(
        item.name.strip(),
        item.every_door,
        frozenset(item.doors),
        _schedule_of(change, item.schedule),
    )
    row = change.session.scalar(select(AccessGroup).where(AccessGroup.external_id == external_id))
    if row is None:
        group = add_group(change, wanted)
        change.session.get_one(AccessGroup, group).external_id = external_id
        change.session.flush()
        return Done("created", str(group))
    fields = {name: name for name in ("name", "every_door", "doors", "schedule")}
    changed = differing(find_group(change.session, row.id), wanted, fields)
    if changed:
        change_group(change, row.id, wanted)
    return Done("updated" if changed else "unchanged", str(row.id), changed)


def drop_household(change: Change, external_id: str) -> Done:
    """Remove a unit.

    Raises:
        Conflict: `household-lived-in`.
    """
    row = change.session.scalar(select(Household).where(Household.external_id == external_id))
    if row is None:
        return GONE
    remove_household(change, row.id)
    return Done("removed", row.id)


def drop_schedule(change: Change, external_id: str) -> Done:
    """Remove a schedule.

    Raises:
        Conflict: `schedule-used`.
    """
    row = change.session.scalar(select(Schedule).where(Schedule.external_id == external_id))
    if row is None:
        return GONE
    remove_schedule(change, row.id)
    return Done("removed", row.id)


def drop_group(change: Change, external_id: str) -> Done:
    """Remove an access group.

    Raises:
        Conflict: `group-used`, `group-is-default`.
    """
    row = change.session.scalar(select(AccessGroup).where(AccessGroup.external_id == external_id))
    if row is None:
        return GONE
    remove_group(change, row.id)
    return Done("removed", str(row.id))


def _schedule_of(change: Change, external_id: str) -> str:
    if not external_id:
        return ""
    found = change.session.scalar(select(Schedule.id).where(Schedule.external_id == external_id))
    if found is None:
        raise InputRefused("no such schedule", field="schedule", code="schedule-unknown")
    return found


def differing(known: object, wanted: object, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return the shown names of the fields in which two values differ."""
    return tuple(
        shown for name, shown in fields.items() if getattr(known, name) != getattr(wanted, name)
    )
