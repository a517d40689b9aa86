"""Residents: found, invited and invited again, given a PIN, suspended, removed."""

from dataclasses import dataclass
from typing import Annotated, Final, get_args

from fastapi import APIRouter, Request, Response

from community_server.access.service import list_groups
from community_server.audit.looks import note_look
from community_server.cards.routes import list_cards, new_card, remove_card
from community_server.consents.queries import has_face
from community_server.consents.routes import consents_of
from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.console.given_pass import ShownPass, read_uses, show_pass
from community_server.console.invited import OriginDep, ShownInvitation, invite, invite_again
from community_server.desk import EstateDep, own_address, reader
from community_server.errors import NotFound, ServerError
from community_server.estate import Estate
from community_server.households.queries import buildings_of
from community_server.invitations.routes import InvitationRequest, perform_withdrawal
from community_server.passes.routes import PassRequest, new_pass, remove_pass
from community_server.people.routes import (
    ListedPerson,
    PersonChange,
    alter,
    details,
    listed,
    listing,
    new_pin,
    remove,
)
from community_server.people.search import Lack, search
from community_server.services.worker_routes import visits_of_worker
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.visits.links import home_link_of

router = APIRouter(prefix="/people")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]
RemovalReader = Annotated[SignedIn, reader(Permission.REMOVE_PEOPLE)]
Remover = Annotated[SignedIn, form_writer(Permission.REMOVE_PEOPLE, proven=True)]

MOST_SHOWN: Final = 200
"""Rows that a guard's old PC draws at once; beyond them one searches."""
LACKS: Final = get_args(Lack)


@dataclass(frozen=True)
class Search:
    """What a list of people is narrowed by."""

    q: str = ""
    building: str = ""
    lack: Lack = ""


NOTHING_SOUGHT: Final = Search()


@router.get("")
def show_people(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    q: str = "",
    building: str = "",
    lack: Lack = "",
) -> Response:
    """List the residents, or those whom search and filters leave."""
    return _list(request, estate, staff, Search(q, building, lack))


@router.post("")
def invite_resident(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    origin: OriginDep,
    name: Text = "",
    unit: Text = "",
) -> Response:
    """Invite a resident, and show the link in the only answer that ever holds it."""
    wanted = InvitationRequest(kind="resident", name=name[:64], unit=unit[:64], origin=origin)
    try:
        invited = invite(request, estate, wanted, staff.staff)
    except ServerError as refusal:
        return _list(request, estate, staff, wanted=wanted, refusal=refusal)
    return _list(request, estate, staff, invited=invited)


@router.get("/{person}")
def show_person(request: Request, person: str, estate: EstateDep, staff: Reader) -> Response:
    """Show one person and what can be done; the log notes who looked."""
    shown = person_page(request, estate, staff, person)
    note_look(estate, staff.staff, person)
    return shown


@router.post("/{person}/invitation")
def invite_person_again(
    request: Request, person: str, estate: EstateDep, staff: Writer, origin: OriginDep
) -> Response:
    """Invite somebody anew, and show the link in the only answer that ever holds it."""
    try:
        invited = invite_again(request, estate, person, staff.staff, origin)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    return person_page(request, estate, staff, person, invited=invited)


@router.post("/{person}/invitation/withdrawal")
def withdraw_link(request: Request, person: str, estate: EstateDep, staff: Writer) -> Response:
    """Withdraw somebody's open link."""
    try:
        perform_withdrawal(estate, person, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    return go_to(f"/people/{person}?done=withdrawn")


@router.post("/{person}/pin")
def issue_pin(request: Request, person: str, estate: EstateDep, staff: Writer) -> Response:
    """Issue a PIN, and show it in the only answer that ever holds it."""
    try:
        pin, unit = new_pin(estate, person, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    return person_page(request, estate, staff, person, pin=pin, unit=unit)


@router.post("/{person}/pass")
def give_pass(
    request: Request, person: str, estate: EstateDep, staff: Writer, uses: Text = ""
) -> Response:
    """Give a QR pass, and show it in the only answer that ever holds it."""
    try:
        wanted = PassRequest(uses=read_uses(uses))
        given = show_pass(*new_pass(estate, person, wanted, staff.staff, own_address(request)))
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    return person_page(request, estate, staff, person, given=given)


@router.post("/{person}/pass/withdrawal")
def withdraw_pass(person: str, estate: EstateDep, staff: Writer) -> Response:
    """Take a pass back."""
    remove_pass(estate, person, staff.staff)
    return go_to(f"/people/{person}?done=pass-withdrawn")


@router.post("/{person}/cards")
def give_card(
    request: Request, person: str, estate: EstateDep, staff: Writer, number: Text = ""
) -> Response:
    """Give somebody a card, typed or read by the desk's own reader."""
    try:
        new_card(estate, person, number, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    return go_to(f"/people/{person}?done=card-given")


@router.post("/{person}/cards/{card}")
def take_card(person: str, card: str, estate: EstateDep, staff: Writer) -> Response:
    """Take a card away, at once."""
    remove_card(estate, person, card, staff.staff)
    return go_to(f"/people/{person}?done=card-taken-away")


@router.post("/{person}/suspended")
def set_suspended(person: str, estate: EstateDep, staff: Writer, suspended: Text = "") -> Response:
    """Close every door to somebody for now, or open them again."""
    wanted = suspended == "yes"
    alter(estate, person, PersonChange(suspended=wanted), staff.staff)
    return go_to(f"/people/{person}?done={'suspended' if wanted else 'resumed'}")


@router.get("/{person}/removal")
def ask_removal(request: Request, person: str, estate: EstateDep, staff: RemovalReader) -> Response:
    """Say in words what removing means, and ask."""
    shown = listed(estate, person)
    return desk_page(
        request,
        estate,
        staff,
        "removal.html.jinja",
        room=room_of(shown),
        here=f"/people/{person}/removal",
        person=shown,
    )


@router.post("/{person}/removal")
def remove_person(person: str, estate: EstateDep, staff: Remover) -> Response:
    """Remove somebody from the server and from every door."""
    room = room_of(listed(estate, person))
    remove(estate, person, staff.staff)
    return go_to(f"/{room}?done=removed")


def room_of(person: ListedPerson) -> str:
    """Return the list that somebody is on."""
    return {"visitor": "visitors", "service": "services"}.get(person.category, "people")


def _list(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    sought: Search = NOTHING_SOUGHT,
    *,
    wanted: InvitationRequest | None = None,
    invited: ShownInvitation | None = None,
    refusal: ServerError | None = None,
) -> Response:
    rows = estate.book.everybody()
    found = [row.roster.person for row in search(rows, sought.q, sought.lack, sought.building)]
    shown = {row.person: row for row in listing(estate, found[:MOST_SHOWN])}
    with estate.reading() as session:
        buildings = buildings_of(session)
    return desk_page(
        request,
        estate,
        staff,
        "people.html.jinja",
        room="people",
        here="/people",
        refusal=refusal,
        sought=sought,
        everybody=any(row.roster.category == "resident" for row in rows),
        people=[shown[person] for person in found if person in shown],
        buildings=buildings,
        lacks=LACKS,
        beyond=max(0, len(found) - MOST_SHOWN),
        wanted=wanted or InvitationRequest(kind="resident"),
        invited=invited,
        cloud=estate.cloud.state(),
        own_forms=estate.settings.own_forms,
    )


def person_page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    person: str,
    *,
    pin: str = "",
    unit: str = "",
    given: ShownPass | None = None,
    invited: ShownInvitation | None = None,
    own_page: tuple[str, str] = ("", ""),
    withdrawn: bool = False,
    refusal: ServerError | None = None,
) -> Response:
    """Answer with one person's page, and what was given or refused just now.

    `own_page` is the link of a resident's own page and its QR code, both empty for none;
    `withdrawn` says that their face was taken away just now.
    """
    shown = listed(estate, person)
    with estate.reading() as session:
        groups = list_groups(session)
        has_page = home_link_of(session, person) is not None
        face = has_face(session, person)
    return desk_page(
        request,
        estate,
        staff,
        "person.html.jinja",
        room=room_of(shown),
        here=f"/people/{person}",
        refusal=refusal,
        person=shown,
        known=details(estate, person),
        groups=groups,
        cards=list_cards(estate, person),
        pin=pin,
        pin_unit=unit,
        given=given,
        invited=invited,
        own_page=own_page,
        has_page=has_page,
        consents=consents_of(estate, person),
        months=visits_of_worker(estate, person) if shown.company else {},
        face_kept=face,
        withdrawn=withdrawn,
        cloud=estate.cloud.state(),
        own_forms=estate.settings.own_forms,
    )
