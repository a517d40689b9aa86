"""Changing access groups: each function works inside a `Change`, and doors hear of it at once."""

from dataclasses import dataclass

from sqlalchemy import Subquery, delete, func, select
from sqlalchemy.orm import Session

from community_server.access.tables import AccessGroup, GroupDoor, PersonGroup, Schedule
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.people.tables import Person, PersonDoor
from community_server.services.tables import Company
from tier_link.estate_messages import MOST_GROUPS

MAX_NAME = 64


@dataclass(frozen=True)
class GroupWanted:
    """A group as somebody writes it; without a schedule it is for any hour of any day."""

    name: str
    every_door: bool
    doors: frozenset[str]
    schedule: str = ""


@dataclass(frozen=True)
class ListedGroup(GroupWanted):
    """A group as it is kept; `people` is how many are in it themselves."""

    id: int = 0
    is_default: bool = False
    people: int = 0


def list_groups(session: Session) -> list[ListedGroup]:
    """Return all groups, the default one first, then by name."""
    counts = select(PersonGroup.group_id, func.count()).group_by(PersonGroup.group_id)
    people = dict(session.execute(counts).all())
    doors: dict[int, set[str]] = {}
    for group, door in session.execute(select(GroupDoor.group_id, GroupDoor.door_id)):
        doors.setdefault(group, set()).add(door)
    return [
        ListedGroup(
            name=row.name,
            every_door=row.every_door,
            doors=frozenset(doors.get(row.id, ())),
            schedule=row.schedule_id or "",
            id=row.id,
            is_default=row.is_default,
            people=people.get(row.id, 0),
        )
        for row in session.scalars(
            select(AccessGroup).order_by(AccessGroup.is_default.desc(), AccessGroup.name)
        )
    ]


def count_without_group(session: Session) -> int:
    """Return how many people the default group is for."""
    return session.scalars(select(func.count()).select_from(_without_group())).one()


def find_group(session: Session, group: int) -> ListedGroup:
    """Return one group.

    Raises:
        NotFound: `group-unknown`.
    """
    found = next((one for one in list_groups(session) if one.id == group), None)
    if found is None:
        raise NotFound("no such group", code="group-unknown")
    return found


def add_group(change: Change, wanted: GroupWanted) -> int:
    """Add a group; return its number.

    Raises:
        InputRefused: `name-missing`, `name-taken`, `door-unknown`, `schedule-unknown`,
            `groups-too-many`.
    """
    session = change.session
    if len(list_groups(session)) >= MOST_GROUPS:
        raise InputRefused("doors keep no more groups", field="name", code="groups-too-many")
    if not wanted.name:
        raise InputRefused("a group has a name", field="name", code="name-missing")
    _check(session, wanted, 0)
    row = AccessGroup(
        name=wanted.name,
        every_door=wanted.every_door,
        schedule_id=wanted.schedule or None,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    session.add_all(GroupDoor(group_id=row.id, door_id=door) for door in wanted.doors)
    session.flush()
    change.reconfigure()
    return row.id


def change_group(change: Change, group: int, wanted: GroupWanted) -> None:
    """Change a group; doors learn their people and hours at once.

    Raises:
        NotFound: `group-unknown`.
        InputRefused: as `add_group`.
    """
    session = change.session
    row, before = _get(session, group), find_group(session, group)
    _check(session, wanted, group)
    if (before.every_door, before.doors) != (wanted.every_door, wanted.doors):
        change.regroup(_other_doors(session, before, wanted))
        session.execute(delete(GroupDoor).where(GroupDoor.group_id == group))
        session.add_all(GroupDoor(group_id=group, door_id=door) for door in sorted(wanted.doors))
    row.name, row.every_door = wanted.name, wanted.every_door
    row.schedule_id = wanted.schedule or None
    session.flush()
    change.reconfigure()


def make_default(change: Change, group: int) -> None:
    """Make a group the one of everybody who has neither groups nor doors of their own.

    Raises:
        NotFound: `group-unknown`.
    """
    session = change.session
    row = _get(session, group)
    for other in session.scalars(select(AccessGroup).where(AccessGroup.is_default)):
        other.is_default = False
    row.is_default = True
    session.flush()
    for person in session.scalars(select(_without_group().c.id)):
        change.touch(person)


def remove_group(change: Change, group: int) -> None:
    """Remove a group that nobody is in, and that no company goes by.

    Raises:
        NotFound: `group-unknown`.
        Conflict: `group-used`, or `group-is-default`.
    """
    session = change.session
    row, listed = _get(session, group), find_group(session, group)
    if listed.is_default:
        raise Conflict("everybody else's group", code="group-is-default")
    companies = select(func.count()).select_from(Company).where(Company.group_id == group)
    if listed.people or session.scalars(companies).one():
        raise Conflict("people are in this group", code="group-used")
    session.execute(delete(GroupDoor).where(GroupDoor.group_id == group))
    session.delete(row)
    session.flush()
    change.reconfigure()


def _without_group() -> Subquery:
    return (
        select(Person.id)
        .where(
            Person.id.not_in(select(PersonGroup.person_id)),
            Person.id.not_in(select(PersonDoor.person_id)),
        )
        .subquery()
    )


def _other_doors(session: Session, before: GroupWanted, after: GroupWanted) -> set[str]:
    """Return the doors that a group names either before or after, but not both."""
    if before.every_door and after.every_door:
        return set()
    if not before.every_door and not after.every_door:
        return set(before.doors ^ after.doors)
    kept = after.doors if before.every_door else before.doors
    return set(session.scalars(select(Door.id))) - kept


def _get(session: Session, group: int) -> AccessGroup:
    row = session.get(AccessGroup, group, with_for_update=True)
    if row is None:
        raise NotFound("no such group", code="group-unknown")
    return row


def _check(session: Session, wanted: GroupWanted, group: int) -> None:
    if len(wanted.name) > MAX_NAME:
        raise InputRefused("a group has a name", field="name", code="name-missing")
    taken = select(AccessGroup.id).where(AccessGroup.name == wanted.name, AccessGroup.id != group)
    if session.scalars(taken).first() is not None:
        raise InputRefused("another has this name", field="name", code="name-taken")
    known = select(Door.id).where(Door.id.in_(wanted.doors), Door.state != "revoked")
    if wanted.doors and set(session.scalars(known)) != wanted.doors:
        raise InputRefused("one of these doors does not exist", field="doors", code="door-unknown")
    if wanted.schedule and session.get(Schedule, wanted.schedule) is None:
        raise InputRefused("no such schedule", field="schedule", code="schedule-unknown")
