"""Units: buildings, and who lives where."""

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from community_server.console.frame import desk_page, form_writer, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import NotFound, ServerError
from community_server.estate import Estate
from community_server.households.queries import buildings_of, list_households
from community_server.households.routes import drop_household, whole
from community_server.people.routes import listing
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/units")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]

MOST_SHOWN: Final = 300
"""Units that a guard's old PC draws at once; beyond them one searches."""


@router.get("")
def show_units(
    request: Request, estate: EstateDep, staff: Reader, q: str = "", building: str | None = None
) -> Response:
    """List the units of all buildings or of one, or those that contain what was searched for."""
    with estate.reading() as session:
        everything, buildings = list_households(session), buildings_of(session)
    found = [
        one
        for one in everything
        if q.strip().casefold() in one.unit.casefold() and building in {None, "", one.building}
    ]
    return desk_page(
        request,
        estate,
        staff,
        "units.html.jinja",
        room="people",
        here="/units",
        units=found[:MOST_SHOWN],
        beyond=max(0, len(found) - MOST_SHOWN),
        everything=len(everything),
        buildings=buildings,
        building=building or "",
        q=q,
    )


@router.get("/{unit}")
def show_unit(request: Request, unit: str, estate: EstateDep, staff: Reader) -> Response:
    """Show who lives in one unit."""
    return _unit(request, estate, staff, unit)


@router.post("/{unit}/removal")
def remove_unit(request: Request, unit: str, estate: EstateDep, staff: Writer) -> Response:
    """Remove a unit in which nobody lives."""
    try:
        drop_household(estate, unit, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return _unit(request, estate, staff, unit, refusal)
    return go_to("/units?done=unit-removed")


def _unit(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    unit: str,
    refusal: ServerError | None = None,
) -> Response:
    household = whole(estate, unit)
    return desk_page(
        request,
        estate,
        staff,
        "unit.html.jinja",
        room="people",
        here=f"/units/{unit}",
        refusal=refusal,
        household=household,
        people=listing(estate, household.people),
    )
