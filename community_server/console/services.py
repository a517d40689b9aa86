"""Service workers at the gate: who is inside, and who is checked in by the guard."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import (
    Text,
    clock_of,
    desk_page,
    form_writer,
    fragment,
    go_to,
)
from community_server.console.given_pass import ShownPass, show_pass
from community_server.desk import EstateDep, own_address, reader
from community_server.doors.routes import listing as list_doors
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.passes.service import GivenPass
from community_server.services.companies import CompanyKind
from community_server.services.inside import Inside
from community_server.services.queries import list_companies
from community_server.services.routes import new_check_in, note_left, who_is_inside
from community_server.services.workers import CheckIn
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/services")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Guard = Annotated[SignedIn, form_writer(Permission.INVITE_VISITORS)]

NOBODY_YET = CheckIn()


@router.get("")
def show_services(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show who is inside, and the form that lets somebody in who has never been here."""
    return _page(request, estate, staff)


@router.get("/inside")
def show_inside(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Answer with who is inside, which the page asks for again and again."""
    return fragment(
        request,
        "inside.html.jinja",
        inside=_inside(estate),
        clock=clock_of(request, estate),
        csrf=staff.csrf,
        may=staff.permissions,
    )


@router.post("/inside/{person}/left")
def say_left(request: Request, person: str, estate: EstateDep, staff: Guard) -> Response:
    """Say that somebody has left whom no reader has seen leave."""
    try:
        note_left(estate, person, staff.staff)
    except ServerError as refusal:
        return _page(request, estate, staff, refusal=refusal)
    return go_to("/services?done=left")


@router.post("")
def check_in(
    request: Request,
    estate: EstateDep,
    staff: Guard,
    doors: Annotated[list[str], Form(default_factory=list, max_length=100)],
    company: Text = "",
    new_company: Text = "",
    kind: Text = "",
    name: Text = "",
    phone: Text = "",
    plate: Text = "",
    unit: Text = "",
) -> Response:
    """Check somebody in, and show their pass in the only answer that ever holds it."""
    wanted = CheckIn(
        company="" if new_company.strip() else company,  # whoever writes a name means it
        new_company=new_company.strip()[:64],
        kind=kind,
        name=name.strip()[:64],
        phone=phone.strip()[:32],
        plate=plate.strip()[:32],
        unit=unit.strip()[:64],
        doors=frozenset(doors),
    )
    try:
        given = show_pass(*_give(estate, wanted, staff.staff, own_address(request)))
    except ServerError as refusal:
        return _page(request, estate, staff, wanted=wanted, refusal=refusal)
    return _page(request, estate, staff, given=given)


def _inside(estate: Estate) -> list[tuple[Inside, str]]:
    """Return who is inside, and their names."""
    return [(one, estate.name_of(one.person)) for one in who_is_inside(estate)]


def _give(estate: Estate, wanted: CheckIn, staff: str, address: str) -> tuple[GivenPass, str]:
    made, link = new_check_in(estate, wanted, staff, address)
    return made.given, link


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    wanted: CheckIn = NOBODY_YET,
    given: ShownPass | None = None,
    refusal: ServerError | None = None,
) -> Response:
    with estate.reading() as session:
        companies = list_companies(session, estate.safe)
    return desk_page(
        request,
        estate,
        staff,
        "services.html.jinja",
        room="services",
        here="/services",
        refusal=refusal,
        inside=_inside(estate),
        companies=[one for one in companies if not one.suspended],
        kinds=list(CompanyKind),
        doors=list_doors(estate),
        wanted=wanted,
        given=given,
    )
