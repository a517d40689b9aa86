"""The desk's word on visits, residents' own pages, and the posters at doors."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request, Response

from community_server.console.clock import read_field
from community_server.console.doors import door_page
from community_server.console.frame import Text, bare_page, form_writer, go_to, zone_of
from community_server.console.given_pass import show_pass
from community_server.console.people import person_page
from community_server.console.qr_code import draw_qr_code
from community_server.console.visitors import visitors_page
from community_server.desk import EstateDep, own_address
from community_server.doors.service import get_door
from community_server.errors import NotFound, ServerError
from community_server.estate import Estate
from community_server.pages import PAGES
from community_server.setup.community import get_community
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.visits.routes import (
    decide,
    end,
    extend,
    new_page,
    new_poster,
    remove_page,
    remove_poster,
)
from tier_kit.language import LANGUAGES

router = APIRouter()

_SAID: Final = ("heading", "line", "courier", "without")
"""What a poster says, in every language."""

Decider = Annotated[SignedIn, form_writer(Permission.INVITE_VISITORS)]
PageMaker = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]
PosterMaker = Annotated[SignedIn, form_writer(Permission.SET_DOORS)]


@router.post("/visitors/visits/{visit}/decision")
def decide_visit(
    request: Request,
    visit: str,
    estate: EstateDep,
    staff: Decider,
    decision: Annotated[Literal["approve", "decline"], Form()],
) -> Response:
    """Let somebody come who asked, or not."""
    done = "visit-approved" if decision == "approve" else "visit-declined"
    return _carry_out(
        request, estate, staff, lambda: decide(estate, visit, decision, staff.staff), done
    )


@router.post("/visitors/visits/{visit}/extension")
def extend_visit(
    request: Request, visit: str, estate: EstateDep, staff: Decider, valid_until: Text = ""
) -> Response:
    """Let a visit go on, or end earlier; show what the visitor is given anew, this once."""
    try:
        until = read_field(zone_of(estate), valid_until, "valid_until")
        handed, link = extend(estate, visit, until, staff.staff, own_address(request))
    except ServerError as refusal:
        return visitors_page(request, estate, staff, refusal=refusal)
    if handed is None or handed.given is None:
        return go_to("/visitors?done=visit-extended")
    given = show_pass(handed.given, link)
    return visitors_page(request, estate, staff, given=given, pin=handed.pin, pin_unit=handed.unit)


@router.post("/visitors/visits/{visit}/end")
def end_visit(request: Request, visit: str, estate: EstateDep, staff: Decider) -> Response:
    """End a visit: cancelled, or the visitor has left."""
    return _carry_out(
        request, estate, staff, lambda: end(estate, visit, staff.staff), "visit-ended"
    )


@router.post("/people/{person}/page")
def make_page(request: Request, person: str, estate: EstateDep, staff: PageMaker) -> Response:
    """Make a resident's page, and show its link in the only answer that ever holds it."""
    try:
        link = new_page(estate, person, staff.staff, own_address(request))
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    shown = (link, draw_qr_code(link))
    return person_page(request, estate, staff, person, own_page=shown)


@router.post("/people/{person}/page/withdrawal")
def withdraw_page(person: str, estate: EstateDep, staff: PageMaker) -> Response:
    """Withdraw a resident's page."""
    remove_page(estate, person, staff.staff)
    return go_to(f"/people/{person}?done=page-withdrawn")


@router.post("/doors/{door}/poster")
def make_poster(request: Request, door: str, estate: EstateDep, staff: PosterMaker) -> Response:
    """Make a door's poster, and show it for printing in the only answer that ever holds it."""
    try:
        link = new_poster(estate, door, staff.staff, own_address(request))
    except NotFound:
        raise
    except ServerError as refusal:
        return door_page(request, estate, staff, door, refusal)
    with estate.reading() as session:
        name, community = get_door(session, door).name, get_community(session).name
    return bare_page(
        request,
        "poster.html.jinja",
        door=door,
        door_name=name,
        estate=community,
        link=link,
        qr_code=draw_qr_code(link),
        said={
            language: {word: PAGES.catalogue.say(language, f"poster.{word}") for word in _SAID}
            for language in reversed(LANGUAGES)
        },
    )


@router.post("/doors/{door}/poster/withdrawal")
def withdraw_poster(door: str, estate: EstateDep, staff: PosterMaker) -> Response:
    """Withdraw a door's poster."""
    remove_poster(estate, door, staff.staff)
    return go_to(f"/doors/{door}?done=poster-withdrawn")


def _carry_out(
    request: Request, estate: Estate, staff: SignedIn, work: Callable[[], None], done: str
) -> Response:
    try:
        work()
    except ServerError as refusal:
        return visitors_page(request, estate, staff, refusal=refusal)
    return go_to(f"/visitors?done={done}")
