"""Whom each door's roster holds, as it was last told: the rows of `roster_members`."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeVar

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from community_server.doors.tables import RosterMember

FEW: Final = 500
"""Ids in one statement: far below every database's limit of parameters."""

T = TypeVar("T")


def count_members(session: Session) -> dict[str, int]:
    """Return how many people each door's roster holds."""
    counts = select(RosterMember.door_id, func.count()).group_by(RosterMember.door_id)
    return dict(session.execute(counts).all())


def members_of(session: Session, door: str, among: Collection[str] | None = None) -> set[str]:
    """Return whom a door's roster holds, or which of `FEW` people at most."""
    query = select(RosterMember.person_id).where(RosterMember.door_id == door)
    if among is not None:
        query = query.where(RosterMember.person_id.in_(among))
    return set(session.scalars(query))


def holders_of(session: Session, people: Collection[str]) -> defaultdict[str, set[str]]:
    """Return by door which of some people its roster holds."""
    held: defaultdict[str, set[str]] = defaultdict(set)
    for some in in_parts(sorted(people), FEW):
        rows = select(RosterMember.door_id, RosterMember.person_id).where(
            RosterMember.person_id.in_(some)
        )
        for door, person in session.execute(rows):
            held[door].add(person)
    return held


def note_members(session: Session, door: str, people: Collection[str]) -> None:
    """Note that a door's roster holds these people from now on."""
    if people:
        members = [{"door_id": door, "person_id": person} for person in people]
        session.execute(insert(RosterMember), members)


def forget_members(session: Session, door: str, people: Sequence[str]) -> None:
    """Note that a door's roster holds these people no longer."""
    for some in in_parts(people, FEW):
        session.execute(
            delete(RosterMember).where(
                RosterMember.door_id == door, RosterMember.person_id.in_(some)
            )
        )


def in_parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield items in parts of `size`; the last may be smaller."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
