"""Households, for programs."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from community_server.audit.log import audit
from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.households.queries import get_household, list_households, people_of
from community_server.households.service import remove_household
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/households", tags=["households"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]


class ShownHousehold(BaseModel):
    """One unit, and how many live there. `unit` is what is entered with a PIN."""

    household: str
    building: str
    number: str
    unit: str
    people: int


class WholeHousehold(BaseModel):
    """One unit, and who lives there."""

    household: str
    building: str
    number: str
    unit: str
    people: list[str]


@router.get("")
def show_households(estate: EstateDep, staff: Reader) -> list[ShownHousehold]:
    """List the units, by building and number."""
    del staff
    with estate.reading() as session:
        return [
            ShownHousehold(
                household=one.id,
                building=one.building,
                number=one.number,
                unit=one.unit,
                people=one.people,
            )
            for one in list_households(session)
        ]


@router.get("/{household}")
def show_household(household: str, estate: EstateDep, staff: Reader) -> WholeHousehold:
    """Show one unit, with the ids of its people."""
    del staff
    return whole(estate, household)


@router.delete("/{household}", status_code=204)
def delete_household(household: str, estate: EstateDep, staff: Writer) -> None:
    """Remove a unit in which nobody lives."""
    drop_household(estate, household, staff.staff)


def whole(estate: Estate, household: str) -> WholeHousehold:
    """Return one unit and its people.

    Raises:
        NotFound: `household-unknown`.
    """
    with estate.reading() as session:
        row = get_household(session, household)
        return WholeHousehold(
            household=row.id,
            building=row.building,
            number=row.number,
            unit=row.unit,
            people=people_of(session, household),
        )


def drop_household(estate: Estate, household: str, staff: str) -> None:
    """Remove a unit, and note who did."""
    with estate.changer.change() as change:
        remove_household(change, household)
        audit(change.session, staff, "remove-household", household)
