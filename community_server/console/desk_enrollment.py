"""Enrolling at the desk: the form before the desk's own camera, while staff stand by."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.frame import form_writer, go_to
from community_server.console.people import person_page
from community_server.desk import EstateDep, own_address
from community_server.errors import NotFound, ServerError
from community_server.invitations.routes import perform_again
from community_server.own_forms.pages import AT_DESK
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/people/{person}")

Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]


@router.post("/desk-enrollment")
def enroll_at_desk(request: Request, person: str, estate: EstateDep, staff: Writer) -> Response:
    """Make a link that holds for an hour, and lead this browser to the form by it.

    The link's secret is in the address's fragment, which this browser alone gets to see.
    """
    address = own_address(request)
    try:
        invited = perform_again(estate, person, staff.staff, "desk", address)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    page, _, fragment = invited.link.removeprefix(address).partition("#")
    return go_to(f"{page}?at={AT_DESK}#{fragment}")
