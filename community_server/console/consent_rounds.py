"""Texts that have changed: who is to agree anew, and the round that asks them."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.consents.outdated import texts_today
from community_server.consents.round_routes import begin_anew, outdated, rounds
from community_server.consents.rounds import LEAST_DAYS, MOST_DAYS, USUAL_DAYS
from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/consents")

Reader = Annotated[SignedIn, reader(Permission.REMOVE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.REMOVE_PEOPLE)]


@router.get("")
def show_consents(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show who is to agree anew, and the rounds."""
    return _page(request, estate, staff)


@router.post("")
def begin_round(request: Request, estate: EstateDep, staff: Writer, days: Text = "") -> Response:
    """Begin a round."""
    try:
        begin_anew(estate, int(days) if days.isdecimal() else 0, staff.staff)
    except ServerError as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/consents?done=round-begun")


def _page(
    request: Request, estate: Estate, staff: SignedIn, refusal: ServerError | None = None
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "consents.html.jinja",
        room="people",
        here="/consents",
        refusal=refusal,
        version=texts_today().texts[0].version,
        people=outdated(estate),
        rounds=rounds(estate),
        days=(LEAST_DAYS, USUAL_DAYS, MOST_DAYS),
    )
