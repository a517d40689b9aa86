"""Residents and visitors: invitations, PINs, suspension, removal."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import (
    MOMENT,
    desk_page,
    fragment,
    nothing,
    read_local_time,
)
from community_server.desk import EstateDep, ReaderDep, WriterDep
from community_server.estate import Estate
from community_server.invitations.routes import InvitationRequest
from community_server.invitations.routes import perform as invite
from community_server.pages import PAGES, language_of
from community_server.people.routes import (
    ListedPerson,
    PersonChange,
    alter,
    listing,
    new_pin,
    remove,
)

router = APIRouter(include_in_schema=False)

CHANGED = "people-changed"
Kind = Literal["resident", "visitor"]
Text = Annotated[str, Form(max_length=64)]


@router.get("/people")
def show_residents(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show the residents."""
    people = _of_kind(estate, "resident")
    return desk_page(
        request, estate, signed_in, "people.html.jinja", kind="resident", people=people, starts=""
    )


@router.get("/visitors")
def show_visitors(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show the visitors."""
    starts = datetime.now(ZoneInfo(estate.settings.time_zone)).strftime("%Y-%m-%dT%H:%M")
    people = _of_kind(estate, "visitor")
    return desk_page(
        request,
        estate,
        signed_in,
        "people.html.jinja",
        kind="visitor",
        people=people,
        starts=starts,
    )


@router.get("/people/list")
def show_list(
    request: Request, estate: EstateDep, signed_in: ReaderDep, kind: Kind = "resident"
) -> Response:
    """Show the people of one kind, without the page around them."""
    del signed_in
    people = _of_kind(estate, kind)
    return fragment(request, estate, "people_list.html.jinja", kind=kind, people=people)


@router.post("/invitations")
def take_invitation(
    request: Request,
    estate: EstateDep,
    staff: WriterDep,
    kind: Annotated[Kind, Form()] = "resident",
    name: Text = "",
    unit: Text = "",
    valid_from: Text = "",
    valid_until: Text = "",
) -> Response:
    """Invite somebody; show the link and its QR code, once."""
    body = InvitationRequest(
        kind=kind,
        name=name,
        unit=unit,
        valid_from=read_local_time(estate, valid_from, "valid_from"),
        valid_until=read_local_time(estate, valid_until, "valid_until"),
    )
    invited = invite(estate, body, staff.staff)
    zone = ZoneInfo(estate.settings.time_zone)
    return fragment(
        request,
        estate,
        "invited.html.jinja",
        event=CHANGED,
        name=name or PAGES.catalogue.say(language_of(request), "approvals.kind-visitor"),
        link=invited.link,
        until=datetime.fromtimestamp(invited.expires_at, zone).strftime(MOMENT),
        qr=segno.make(invited.link, boost_error=False, micro=False).svg_inline(
            scale=4, border=4, light="white", dark="black"
        ),
    )


@router.post("/people/{person}/pin")
def take_pin(request: Request, person: str, estate: EstateDep, staff: WriterDep) -> Response:
    """Issue a PIN; show it, once."""
    pin, unit = new_pin(estate, person, staff.staff)
    return fragment(
        request,
        estate,
        "pin.html.jinja",
        event=CHANGED,
        name=estate.name_of(person),
        pin=pin,
        unit=unit,
    )


@router.post("/people/{person}/suspend")
def take_suspension(person: str, estate: EstateDep, staff: WriterDep) -> Response:
    """Close the doors to somebody for now."""
    alter(estate, person, PersonChange(suspended=True), staff.staff)
    return nothing(CHANGED)


@router.post("/people/{person}/resume")
def take_resumption(person: str, estate: EstateDep, staff: WriterDep) -> Response:
    """Let somebody in again."""
    alter(estate, person, PersonChange(suspended=False), staff.staff)
    return nothing(CHANGED)


@router.post("/people/{person}/remove")
def take_removal(person: str, estate: EstateDep, staff: WriterDep) -> Response:
    """Remove somebody."""
    remove(estate, person, staff.staff)
    return nothing(CHANGED)


def _of_kind(estate: Estate, kind: Kind) -> list[ListedPerson]:
    return [one for one in listing(estate) if (one.category == "visitor") == (kind == "visitor")]
