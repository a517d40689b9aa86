"""Consents at the desk: withdrawn at somebody's word, in one step."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.consents.routes import withdraw
from community_server.console.frame import form_writer
from community_server.console.given_pass import show_pass
from community_server.console.people import person_page
from community_server.desk import EstateDep
from community_server.errors import NotFound, ServerError
from community_server.setup.community import get_community
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/people/{person}")

Writer = Annotated[SignedIn, form_writer(Permission.REMOVE_PEOPLE)]


@router.post("/face/withdrawal")
def withdraw_face(request: Request, person: str, estate: EstateDep, staff: Writer) -> Response:
    """Take a face away, and show what takes its place in the only answer that ever holds it."""
    try:
        instead = withdraw(estate, person, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    given = None
    if instead.given is not None:
        with estate.reading() as session:
            cloud = get_community(session).cloud_url
        link = f"{cloud}/pass#{instead.given.fragment}" if cloud else ""
        given = show_pass(instead.given, link)
    return person_page(
        request,
        estate,
        staff,
        person,
        pin=instead.pin,
        unit=instead.unit,
        given=given,
        withdrawn=True,
    )
