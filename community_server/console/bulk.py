"""Inviting many at once: links to hand on, letters to print, or messages that the estate sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.console.qr_code import draw_qr_code
from community_server.desk import EstateDep, own_address, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.households.queries import buildings_of
from community_server.invitations.bulk import (
    MOST,
    BulkInvitation,
    By,
    Choice,
    choose,
    invite_chosen,
)
from community_server.messages.service import count_messages, list_messages
from community_server.pages import PAGES
from community_server.setup.community import get_community
from community_server.staff.accounts import usernames
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_kit.language import LANGUAGES, Language

router = APIRouter(prefix="/invitations")

Reader = Annotated[SignedIn, reader(Permission.MANAGE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]

Way = Literal["links", "letters", "mail", "sms"]
SHOWN_MESSAGES: Final = 200


@router.get("")
def ask_invitations(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    building: str = "",
    again: str = "",
) -> Response:
    """Say how many are meant, and ask how."""
    return _page(request, estate, staff, Choice(building, again == "yes"))


@router.post("")
def invite(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    building: Text = "",
    again: Text = "",
    way: Annotated[Way, Form()] = "links",
) -> Response:
    """Invite them; links are shown in the only answer that ever holds them."""
    choice = Choice(building, again == "yes")
    by: By = "links" if way == "letters" else way
    try:
        invited = invite_chosen(estate, choice, by, staff.staff, own_address(request))
    except ServerError as refusal:
        return _page(request, estate, staff, choice, refusal=refusal)
    if by != "links":
        return go_to("/invitations/outbox?done=queued")
    return _page(request, estate, staff, choice, way=way, made=invited.made)


@router.get("/outbox")
def show_outbox(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show what was sent, what waits, and what failed."""
    with estate.reading() as session:
        messages, counts = list_messages(session, SHOWN_MESSAGES), count_messages(session)
        names = usernames(session)
    return desk_page(
        request,
        estate,
        staff,
        "outbox.html.jinja",
        room="people",
        here="/invitations/outbox",
        messages=[(one, names.get(one.staff) or estate.name_of(one.person)) for one in messages],
        counts=counts,
    )


@dataclass(frozen=True)
class Letter:
    """What stands in a printed letter, in one language."""

    language: Language
    title: str
    text: str
    no_face: str


def _letters(estate: Estate) -> list[Letter]:
    with estate.reading() as session:
        name = get_community(session).name
    say = PAGES.catalogue.say
    return [
        Letter(
            language,
            say(language, "letter.title", estate=name),
            say(language, "letter.text"),
            say(language, "letter.no-face"),
        )
        for language in LANGUAGES
    ]


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    choice: Choice,
    *,
    way: Way = "links",
    made: Sequence[BulkInvitation] = (),
    refusal: ServerError | None = None,
) -> Response:
    with estate.reading() as session:
        buildings = buildings_of(session)
    return desk_page(
        request,
        estate,
        staff,
        "bulk.html.jinja",
        room="people",
        here="/invitations",
        refusal=refusal,
        choice=choice,
        meant=len(choose(estate, choice)),
        most=MOST,
        buildings=buildings,
        ways=["links", "letters", *sorted(estate.gateways)],
        way=way,
        made=[(one, draw_qr_code(one.link)) for one in made],
        letters=_letters(estate) if way == "letters" else (),
        cloud=estate.cloud.state(),
        own_forms=estate.settings.own_forms,
    )
