"""Visitors: invited for a time and for some doors, and forgotten afterwards."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from community_server.console.clock import read_field, usual_visit
from community_server.console.frame import Text, desk_page, form_writer, fragment, zone_of
from community_server.console.given_pass import ShownPass, read_uses
from community_server.console.invited import OriginDep, ShownInvitation, invite
from community_server.desk import EstateDep, reader
from community_server.doors.routes import listing as list_doors
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.invitations.routes import InvitationRequest
from community_server.people.routes import ListedPerson, listing
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.visits.queries import ShownVisit, count_asking
from community_server.visits.routes import listing as list_visits

router = APIRouter(prefix="/visitors")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.INVITE_VISITORS)]


@router.get("")
def show_visitors(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the visitors whose time is not over."""
    return visitors_page(request, estate, staff)


@router.get("/badge")
def show_badge(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how many ask, beside the link in the frame."""
    del staff
    with estate.reading() as session:
        asking = count_asking(session)
    return fragment(request, "visits_badge.html.jinja", asking=asking)


@router.post("")
def invite_visitor(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    origin: OriginDep,
    doors: Annotated[list[str], Form(default_factory=list, max_length=1000)],
    name: Text = "",
    unit: Text = "",
    purpose: Text = "",
    plate: Text = "",
    uses: Text = "",
    valid_from: Text = "",
    valid_until: Text = "",
) -> Response:
    """Invite a visitor, and show the link in the only answer that ever holds it."""
    zone = zone_of(estate)
    wanted = InvitationRequest(
        kind="visitor",
        name=name[:64],
        unit=unit[:64],
        purpose=purpose[:200],
        plate=plate[:32],
        doors=doors,
        origin=origin,
    )
    try:
        wanted = wanted.model_copy(
            update={
                "uses": read_uses(uses),
                "valid_from": read_field(zone, valid_from, "valid_from"),
                "valid_until": read_field(zone, valid_until, "valid_until"),
            }
        )
        invited = invite(request, estate, wanted, staff.staff)
    except ServerError as refusal:
        return visitors_page(request, estate, staff, wanted=wanted, refusal=refusal)
    return visitors_page(request, estate, staff, invited=invited)


def visitors_of(estate: Estate, visits: Sequence[ShownVisit]) -> dict[str, ListedPerson]:
    """Return whoever of some visits there is by now, by their id."""
    return {
        row.person: row for row in listing(estate, [one.person for one in visits if one.person])
    }


def visitors_page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    wanted: InvitationRequest | None = None,
    invited: ShownInvitation | None = None,
    given: ShownPass | None = None,
    pin: str = "",
    pin_unit: str = "",
    refusal: ServerError | None = None,
) -> Response:
    """Answer with the visitors' page, and what was given or refused just now."""
    if wanted is None:
        starts, ends = usual_visit(zone_of(estate))
        wanted = InvitationRequest(kind="visitor", valid_from=starts, valid_until=ends)
    return desk_page(
        request,
        estate,
        staff,
        "visitors.html.jinja",
        room="visitors",
        here="/visitors",
        refusal=refusal,
        visits=(visits := list_visits(estate)),
        visitors=visitors_of(estate, visits),
        doors=list_doors(estate),
        wanted=wanted,
        invited=invited,
        given=given,
        pin=pin,
        pin_unit=pin_unit,
        cloud=estate.cloud.state(),
        own_forms=estate.settings.own_forms,
    )
