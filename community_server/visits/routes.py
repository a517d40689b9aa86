"""Visits, residents' pages and posters, for programs and for the desk's pages."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.desk import EstateDep, own_address, reader, writer
from community_server.estate import Estate
from community_server.invitations.service import usual_place
from community_server.passes.routes import pass_page
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.visits import service
from community_server.visits.admission import HandedOver
from community_server.visits.links import (
    make_home_link,
    make_poster,
    withdraw_home_link,
    withdraw_poster,
)
from community_server.visits.queries import ShownVisit, get_visit, list_visits, visitor_counts

router = APIRouter(prefix="/api/v1", tags=["visits"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Decider = Annotated[SignedIn, writer(Permission.INVITE_VISITORS)]
PageMaker = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]
PosterMaker = Annotated[SignedIn, writer(Permission.SET_DOORS)]

Verdict = Literal["approve", "decline"]


class ListedVisit(BaseModel):
    """One visit; times are Unix seconds.

    `state` is `asked`, `approved` or `declined`. `door_name` is where somebody asked at a poster,
    for `hours` from the approval on; it is empty for who was invited, by a resident, `host`, or by
    the desk, where `host` is empty, too.
    `person` is the visitor once there is one, and `entries` how often they came in, of `uses`, 0
    for any number.
    """

    visit: str
    state: str
    name: str = Field(repr=False)
    purpose: str
    plate: str = Field(repr=False)
    company: str
    visiting: str
    unit: str
    host: str
    door_name: str
    courier: bool
    valid_from: int
    valid_until: int
    hours: int
    uses: int
    entries: int
    credential: str
    decided_how: str
    person: str
    created_at: int


class VisitDecision(BaseModel):
    """The desk's word."""

    decision: Verdict


class VisitExtension(BaseModel):
    """Until when a visit goes on, Unix seconds."""

    valid_until: Annotated[int, Field(ge=0, le=2**40)]


class VisitExtended(BaseModel):
    """What the visitor is given anew, shown this once; empty where they go on with what they have.

    `link` shows the new pass, which has ended the one before; so has `pin`, entered with `unit`.
    """

    link: str = Field(default="", repr=False)
    pin: str = Field(default="", repr=False)
    unit: str = ""


class LinkMade(BaseModel):
    """A link, shown this once."""

    link: str = Field(repr=False)


@router.get("/visits")
def show_visits(estate: EstateDep, staff: Reader) -> list[ListedVisit]:
    """List visits, those that wait before the others."""
    del staff
    return [_listed(one) for one in listing(estate)]


@router.get("/visits/counts/{month}")
def show_counts(
    month: Annotated[str, Path(pattern=r"^\d{4}-\d{2}$")], estate: EstateDep, staff: Reader
) -> dict[str, int]:
    """Return how many visitors each unit had in a month, `2026-11`."""
    del staff
    with estate.reading() as session:
        return visitor_counts(session, month)


@router.post("/visits/{visit}/decision", status_code=204)
def decide_visit(visit: str, body: VisitDecision, estate: EstateDep, staff: Decider) -> None:
    """Let somebody come who asked, or not; both sides hear of it."""
    decide(estate, visit, body.decision, staff.staff)


@router.post("/visits/{visit}/extension")
def extend_visit(
    visit: str, body: VisitExtension, request: Request, estate: EstateDep, staff: Decider
) -> VisitExtended:
    """Let a visit go on, or end earlier; a pass says until when it holds, so there is a new one."""
    handed, link = extend(estate, visit, body.valid_until, staff.staff, own_address(request))
    if handed is None:
        return VisitExtended()
    return VisitExtended(link=link, pin=handed.pin, unit=handed.unit)


@router.delete("/visits/{visit}", status_code=204)
def end_visit(visit: str, estate: EstateDep, staff: Decider) -> None:
    """End a visit: cancelled, or the visitor has left; what names them is destroyed."""
    end(estate, visit, staff.staff)


@router.post("/people/{person}/page", status_code=201)
def make_page(person: str, request: Request, estate: EstateDep, staff: PageMaker) -> LinkMade:
    """Give a resident a page of their own; the link before it ends."""
    return LinkMade(link=new_page(estate, person, staff.staff, own_address(request)))


@router.delete("/people/{person}/page", status_code=204)
def delete_page(person: str, estate: EstateDep, staff: PageMaker) -> None:
    """Withdraw a resident's page."""
    remove_page(estate, person, staff.staff)


@router.post("/doors/{door}/poster", status_code=201)
def make_door_poster(
    door: str, request: Request, estate: EstateDep, staff: PosterMaker
) -> LinkMade:
    """Make a door's poster anew; the one before leads nowhere any more."""
    return LinkMade(link=new_poster(estate, door, staff.staff, own_address(request)))


@router.delete("/doors/{door}/poster", status_code=204)
def delete_poster(door: str, estate: EstateDep, staff: PosterMaker) -> None:
    """Withdraw a door's poster."""
    remove_poster(estate, door, staff.staff)


def listing(estate: Estate) -> list[ShownVisit]:
    """Return all visits, those that wait before the others."""
    with estate.reading() as session:
        return list_visits(session, estate.safe)


def decide(estate: Estate, visit: str, verdict: Verdict, staff: str) -> None:
    """Carry out the desk's word, and note whose it was."""
    with estate.changer.change() as change:
        row = get_visit(change.session, visit, lock=True)
        if verdict == "approve":
            service.approve(change, estate.visiting, row, "desk", staff)
            audit(change.session, staff, "approve-visit", visit)
        else:
            service.decline(change, estate.visiting, row, "desk", staff)
            audit(change.session, staff, "decline-visit", visit)


def extend(
    estate: Estate, visit: str, valid_until: int, staff: str, address: str
) -> tuple[HandedOver | None, str]:
    """Let a visit go on, and note who did; `address` is this server's.

    Return what the visitor is given anew, None for nothing, and the link that shows their pass.
    """
    with estate.changer.change() as change:
        row = get_visit(change.session, visit, lock=True)
        handed = service.extend(change, estate.visiting, row, valid_until)
        page = pass_page(change.session, estate.settings, address)
        audit(change.session, staff, "extend-visit", visit)
    return handed, f"{page}#{handed.qr_pass}" if handed and page else ""


def end(estate: Estate, visit: str, staff: str) -> None:
    """End a visit, and note who did."""
    with estate.changer.change() as change:
        service.end(change, estate.visiting, get_visit(change.session, visit, lock=True))
        audit(change.session, staff, "end-visit", visit)


def new_page(estate: Estate, person: str, staff: str, address: str) -> str:
    """Make a resident's page, note who did, and return its link; `address` is this server's."""
    with estate.changer.change() as change:
        here = usual_place(change.session, estate.settings, address)
        link = make_home_link(change, estate.links, person, here)
        audit(change.session, staff, "make-page", person)
    return link


def remove_page(estate: Estate, person: str, staff: str) -> None:
    """Withdraw a resident's page, and note who did."""
    with estate.changer.change() as change:
        if withdraw_home_link(change, estate.links, person):
            audit(change.session, staff, "withdraw-page", person)


def new_poster(estate: Estate, door: str, staff: str, address: str) -> str:
    """Make a door's poster anew, note who did, and return its link; `address` is this server's."""
    with estate.changer.change() as change:
        here = usual_place(change.session, estate.settings, address)
        link = make_poster(change, estate.links, door, here)
        audit(change.session, staff, "make-poster", door)
    return link


def remove_poster(estate: Estate, door: str, staff: str) -> None:
    """Withdraw a door's poster, and note who did."""
    with estate.changer.change() as change:
        if withdraw_poster(change, estate.links, door):
            audit(change.session, staff, "withdraw-poster", door)


def _listed(visit: ShownVisit) -> ListedVisit:
    details = visit.details
    return ListedVisit(
        visit=visit.visit,
        state=visit.state,
        name=details.name,
        purpose=details.purpose,
        plate=details.plate,
        company=details.company,
        visiting=details.visiting,
        unit=visit.unit,
        host=visit.host,
        door_name=visit.door_name,
        courier=visit.courier,
        valid_from=visit.valid_from,
        valid_until=visit.valid_until,
        hours=visit.hours,
        uses=visit.uses,
        entries=visit.entries,
        credential=visit.credential,
        decided_how=visit.decided_how,
        person=visit.person,
        created_at=visit.created_at,
    )
