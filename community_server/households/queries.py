"""Reading units, and who lives in them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.errors import NotFound
from community_server.households.tables import Household, Residence


@dataclass(frozen=True)
class ListedHousehold:
    """One unit, and how many live there."""

    id: str
    building: str
    number: str
    unit: str
    people: int


def list_households(session: Session) -> list[ListedHousehold]:
    """Return all units, by building and number."""
    counts = select(Residence.household_id, func.count()).group_by(Residence.household_id)
    people = dict(session.execute(counts).all())
    columns = select(Household.id, Household.building, Household.number, Household.unit)
    rows = session.execute(columns.order_by(Household.building, Household.number))
    return [ListedHousehold(*row, people=people.get(row.id, 0)) for row in rows]


def buildings_of(session: Session) -> list[str]:
    """Return the names of the buildings."""
    names = select(Household.building).distinct().where(Household.building != "")
    return sorted(session.scalars(names))


def buildings_of_people(session: Session) -> dict[str, str]:
    """Return the building in which everybody lives who lives anywhere here."""
    query = select(Residence.person_id, Household.building).join(
        Household, Household.id == Residence.household_id
    )
    return dict(session.execute(query).all())


def get_household(session: Session, household: str, *, lock: bool = False) -> Household:
    """Return one unit.

    Raises:
        NotFound: `household-unknown`.
    """
    row = session.get(Household, household, with_for_update=lock)
    if row is None:
        raise NotFound("no such unit", code="household-unknown")
    return row


def residence_of(session: Session, person: str) -> Residence | None:
    """Return where somebody lives; None for nowhere here."""
    return session.get(Residence, person)


def people_of(session: Session, household: str) -> list[str]:
    """Return who lives in a unit, in the order in which they moved in."""
    return list(
        session.scalars(
            select(Residence.person_id)
            .where(Residence.household_id == household)
            .order_by(Residence.moved_in, Residence.person_id)
        )
    )


@dataclass(frozen=True)
class LivesIn:
    """Where somebody lives, when they move out (Unix seconds, 0: not planned) and what then."""

    household: str
    moves_out: int
    erased: bool


NOWHERE: Final = LivesIn("", 0, erased=False)


def residences(session: Session, only: Collection[str] | None = None) -> dict[str, LivesIn]:
    """Return where everybody, or some people, live who live anywhere here."""
    query = select(
        Residence.person_id, Residence.household_id, Residence.moves_out, Residence.erased
    )
    if only is not None:
        query = query.where(Residence.person_id.in_(only))
    return {
        person: LivesIn(household, moves_out, erased)
        for person, household, moves_out, erased in session.execute(query)
    }


def moved_out(session: Session, moment: int) -> list[Residence]:
    """Return the residences whose end has come."""
    query = select(Residence).where(Residence.moves_out != 0, Residence.moves_out <= moment)
    return list(session.scalars(query))
