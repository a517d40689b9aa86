"""Who is inside now, and since when; an estimate where nobody can be seen to leave."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.people import Direction
from community_server.access.groups import load_groups
from community_server.access.membership import groups_of_people
from community_server.change import Change
from community_server.database import new_id, now
from community_server.doors.tables import Door
from community_server.errors import Conflict
from community_server.people.tables import Person, PersonDoor
from community_server.services.figures import typical_minutes
from community_server.services.passings import APART_MS, EndedBy
from community_server.services.tables import Company, Departure, WorkerStay

_MINUTE: Final = 60


@dataclass(frozen=True)
class Inside:
    """Somebody who is inside; times are Unix seconds.

    `whom` they come for, in words, is filled in by whoever may open it; `unit` is the one they were
    written for, `0` for none. `until` is the end of the allowed stay. With `estimated` no reader on
    the way out would see them leave: they are taken to have left at `leaves`, which is 0 for
    everybody else.
    """

    person: str
    company: str
    company_name: str
    unit: str
    door: str
    door_name: str
    since: int
    last_seen: int
    until: int
    estimated: bool
    leaves: int
    overstays: bool
    whom: str = field(default="", repr=False)


def list_inside(session: Session, moment: int) -> list[Inside]:
    """Return who is inside at `moment` (Unix seconds), those first who are for the longest.

    Whoever was seen nowhere for half a day has left.
    """
    rows = session.execute(
        select(WorkerStay, Company, Person.unit, Door.name)
        .join(Company, Company.id == WorkerStay.company_id)
        .join(Person, Person.id == WorkerStay.person_id)
        .join(Door, Door.id == WorkerStay.door_id)
        .where(
            WorkerStay.ended_by == EndedBy.OPEN,
            WorkerStay.last_seen > moment * 1000 - APART_MS,
        )
        .order_by(WorkerStay.begins, WorkerStay.key)
    ).all()
    seen_leaving = _seen_leaving(session, [(stay.person_id, stay.door_id) for stay, *_ in rows])
    typical: dict[str, int] = {}
    found = []
    for stay, company, unit, door_name in rows:
        estimated = stay.person_id not in seen_leaving
        if estimated and company.id not in typical:
            typical[company.id] = typical_minutes(session, company)
        since, until = stay.begins // 1000, stay.begins // 1000 + company.allowed_min * _MINUTE
        leaves = stay.last_seen // 1000 + typical[company.id] * _MINUTE if estimated else 0
        if estimated and leaves <= moment:
            continue
        found.append(
            Inside(
                person=stay.person_id,
                company=company.id,
                company_name=company.name,
                unit=unit,
                door=stay.door_id,
                door_name=door_name,
                since=since,
                last_seen=stay.last_seen // 1000,
                until=until,
                estimated=estimated,
                leaves=leaves,
                overstays=not estimated and until < moment,
            )
        )
    return found


def add_departure(change: Change, person: str, staff: str) -> int:
    """Note the word of a member of staff that somebody has left; return when, in Unix milliseconds.

    The stays have to be brought up to date with it.

    Raises:
        Conflict: `not-inside`.
    """
    session, moment = change.session, now()
    if person not in {one.person for one in list_inside(session, moment)}:
        raise Conflict("nobody of this id is inside", code="not-inside")
    at = moment * 1000
    session.add(Departure(key=new_id(), person_id=person, at=at, staff_id=staff))
    session.flush()
    return at


def _seen_leaving(session: Session, came: Collection[tuple[str, str]]) -> frozenset[str]:
    """Return those whom a reader on the way out would see leave, of people and doors they came by.

    That is one of the same pair as the door by which they came, or, where that has none, any that
    they may use.
    """
    people = {person for person, _ in came}
    if not people:
        return frozenset()
    pairs = dict(session.execute(select(Door.id, Door.pair)).all())
    ways_out = set(
        session.scalars(
            select(Door.id).where(Door.direction == Direction.OUT, Door.state == "paired")
        )
    )
    own: defaultdict[str, set[str]] = defaultdict(set)
    rows = select(PersonDoor.person_id, PersonDoor.door_id).where(PersonDoor.person_id.in_(people))
    for person, door in session.execute(rows):
        own[person].add(door)
    groups, members = load_groups(session), groups_of_people(session, people)
    found = set()
    for person, came_by in came:
        theirs = frozenset(own[person])
        usable = theirs or groups.doors_of(groups.effective(members.get(person, ()), theirs))
        out = ways_out if usable is None else ways_out & usable
        pair = pairs.get(came_by, "")
        if any(not pair or pairs.get(door) == pair for door in out):
            found.add(person)
    return frozenset(found)
