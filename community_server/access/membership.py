"""Reading and changing which groups people are in."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from community_server.access.groups import load_groups
from community_server.access.tables import AccessGroup, PersonGroup
from community_server.change import Change
from community_server.errors import InputRefused
from community_server.people.queries import doors_of
from community_server.people.tables import PersonDoor
from tier_link.estate_messages import MOST_GROUPS_EACH


def groups_of(session: Session, person: str) -> frozenset[int]:
    """Return the groups that somebody is in themselves."""
    query = select(PersonGroup.group_id).where(PersonGroup.person_id == person)
    return frozenset(session.scalars(query))


def groups_of_people(
    session: Session, only: Collection[str] | None = None
) -> dict[str, frozenset[int]]:
    """Return the groups of everybody, or of some people, who are in any."""
    query = select(PersonGroup.person_id, PersonGroup.group_id)
    if only is not None:
        query = query.where(PersonGroup.person_id.in_(only))
    groups: defaultdict[str, set[int]] = defaultdict(set)
    for person, group in session.execute(query):
        groups[person].add(group)
    return {person: frozenset(found) for person, found in groups.items()}


def doors_for(session: Session, person: str) -> frozenset[str] | None:
    """Return the doors that somebody may use at some hour or other; None for every door."""
    own, groups = doors_of(session, person), load_groups(session)
    return own or groups.doors_of(groups.effective(groups_of(session, person), own))


def put_into_groups(change: Change, person: str, groups: Collection[int]) -> None:
    """Make these somebody's groups, in place of earlier ones and of doors of their own.

    Without any, the estate's default group is theirs.

    Raises:
        InputRefused: `group-unknown`, `groups-too-many`.
    """
    session, wanted = change.session, set(groups)
    if len(wanted) > MOST_GROUPS_EACH:
        raise InputRefused("that many groups", field="groups", code="groups-too-many")
    known = select(AccessGroup.id).where(AccessGroup.id.in_(wanted))
    if wanted and set(session.scalars(known)) != wanted:
        raise InputRefused(
            "one of these groups does not exist", field="groups", code="group-unknown"
        )
    session.execute(delete(PersonDoor).where(PersonDoor.person_id == person))
    session.execute(delete(PersonGroup).where(PersonGroup.person_id == person))
    session.add_all(PersonGroup(person_id=person, group_id=one) for one in sorted(wanted))
    session.flush()
    change.touch(person)
