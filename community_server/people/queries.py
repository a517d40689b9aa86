"""Reading people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.errors import NotFound
from community_server.people.tables import Person, PersonDoor, Template


def get_person(session: Session, person: str, *, lock: bool = False) -> Person:
    """Return one person, locked until the transaction ends if asked for.

    Raises:
        NotFound: `person-unknown`.
    """
    row = session.get(Person, person, with_for_update=lock)
    if row is None:
        raise NotFound("nobody has this id", code="person-unknown")
    return row


def list_people(session: Session, only: Collection[str] | None = None) -> Sequence[Person]:
    """Return everybody, or some people, residents first, then by unit."""
    query = select(Person).order_by(Person.category, Person.unit, Person.created_at)
    if only is not None:
        query = query.where(Person.id.in_(only))
    return session.scalars(query).all()


def people_of_unit(session: Session, unit: str, *, but: str) -> Sequence[Person]:
    """Return a unit's people except one."""
    return session.scalars(select(Person).where(Person.unit == unit, Person.id != but)).all()


def doors_of(session: Session, person: str) -> frozenset[str]:
    """Return the doors a person is limited to; none means every door."""
    return frozenset(
        session.scalars(select(PersonDoor.door_id).where(PersonDoor.person_id == person))
    )


def people_with_templates(session: Session) -> frozenset[str]:
    """Return the ids of people who are known by face."""
    return frozenset(session.scalars(select(Template.person_id)))


@dataclass(frozen=True)
class Face:
    """Since when (Unix seconds) a face is known, and how many photos it rests on, 0 unnoted.

    `usable` says that the doors' present model can compare it: template spaces never mix.
    """

    since: int
    photos: int
    usable: bool


def faces_of_people(
    session: Session, space: str, only: Collection[str] | None = None
) -> dict[str, Face]:
    """Return what is known of everybody's face, or of some people's, without the face."""
    rows = select(Template.person_id, Template.created_at, Template.photos, Template.space)
    if only is not None:
        rows = rows.where(Template.person_id.in_(only))
    return {
        person: Face(since, photos, made_in == space)
        for person, since, photos, made_in in session.execute(rows)
    }


def overdue_people(session: Session, now: int) -> Sequence[Person]:
    """Return the people whose time is over."""
    return session.scalars(
        select(Person).where(Person.valid_until != 0, Person.valid_until <= now)
    ).all()
