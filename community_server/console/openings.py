"""A door opened from the desk: the question for the password and the reason, and the answer."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.answer_form import (
    IN_PLACE,
    NOTHING_YET,
    Answer,
    AnswerDep,
    answer_page,
)
from community_server.console.doors import find
from community_server.console.frame import Text, form_writer, go_to
from community_server.desk import EstateDep, address_of, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.openings.routes import open_remotely
from community_server.openings.service import check_wish
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/doors/{door}/opening")

Reader = Annotated[SignedIn, reader(Permission.OPEN_DOORS)]
Writer = Annotated[SignedIn, form_writer(Permission.OPEN_DOORS)]


@router.get("")
def ask_opening(
    request: Request, door: str, estate: EstateDep, staff: Reader, back: str = ""
) -> Response:
    """Ask why, and for the password."""
    return _page(request, estate, staff, door, back=back)


@router.post("")
def open_door(
    request: Request,
    door: str,
    estate: EstateDep,
    staff: Writer,
    answer: AnswerDep,
    back: Text = "",
) -> Response:
    """Open the door, once, or say plainly what became of it."""
    try:
        wish = check_wish(answer.reason, answer.note)
        open_remotely(estate, door, wish, staff, answer.password, address_of(request))
    except IN_PLACE as refusal:
        return _page(request, estate, staff, door, refusal, answer, back)
    return go_to(f"{_back(door, back)}?done=opened")


def _back(door: str, back: str) -> str:
    """Return where whoever asked came from: the night desk, or the door's own page."""
    return "/night" if back == "night" else f"/doors/{door}"


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    door: str,
    refusal: ServerError | None = None,
    answer: Answer = NOTHING_YET,
    back: str = "",
) -> Response:
    return answer_page(
        request,
        estate,
        staff,
        "opening.html.jinja",
        room="doors",
        here=f"/doors/{door}/opening",
        refusal=refusal,
        answer=answer,
        door=find(estate, door),
        back=back,
        leave=_back(door, back),
    )
