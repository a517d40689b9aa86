"""Who rings, on every page; and the page on which a call is answered."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from community_server.calls.routes import (
    ShownCall,
    answer_by_opening,
    answer_by_refusal,
    list_calls,
    still_of,
)
from community_server.console.answer_form import (
    IN_PLACE,
    NOTHING_YET,
    Answer,
    AnswerDep,
    answer_page,
)
from community_server.console.frame import form_writer, fragment, go_to
from community_server.desk import EstateDep, address_of, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.openings.service import REFUSALS, check_wish
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/calls")

Reader = Annotated[SignedIn, reader(Permission.ANSWER_CALLS)]
Answerer = Annotated[SignedIn, form_writer(Permission.ANSWER_CALLS)]
Opener = Annotated[SignedIn, form_writer(Permission.OPEN_DOORS)]


@router.get("/banner")
def refresh_banner(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    but: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """Show who rings now, but for the call whose own page asks."""
    del staff
    return fragment(request, "calls_banner.html.jinja", calls=list_calls(estate), but=but)


@router.get("/{call}")
def show_call(request: Request, call: str, estate: EstateDep, staff: Reader) -> Response:
    """Show one call, and how it can be answered."""
    return _page(request, estate, staff, call)


@router.get("/{call}/live")
def refresh_call(request: Request, call: str, estate: EstateDep, staff: Reader) -> Response:
    """Show whether a call rings yet, and its newest picture."""
    del staff
    return fragment(request, "call_live.html.jinja", call=find_call(estate, call), id=call)


@router.get("/{call}/still")
def show_still(call: str, estate: EstateDep, staff: Reader) -> Response:
    """Show what the door's camera sees of whoever rings."""
    del staff
    return still_of(estate, call)


@router.post("/{call}/open")
def open_for_call(
    request: Request, call: str, estate: EstateDep, staff: Opener, answer: AnswerDep
) -> Response:
    """Answer a call by opening the door, or say plainly what became of it."""
    try:
        open_for(estate, call, answer, staff, request)
    except IN_PLACE as refusal:
        return _page(request, estate, staff, call, refusal, opening=answer)
    return go_to("/entries?done=call-opened")


@router.post("/{call}/refuse")
def refuse_call(
    request: Request, call: str, estate: EstateDep, staff: Answerer, answer: AnswerDep
) -> Response:
    """Answer a call by a refusal."""
    try:
        refuse_for(estate, call, answer, staff)
    except IN_PLACE as refusal:
        return _page(request, estate, staff, call, refusal, refusing=answer)
    return go_to("/entries?done=call-refused")


def open_for(estate: Estate, call: str, answer: Answer, staff: SignedIn, request: Request) -> None:
    """Open to who rings, as a form says."""
    wish = check_wish(answer.reason, answer.note)
    answer_by_opening(estate, call, wish, staff, answer.password, address_of(request))


def refuse_for(estate: Estate, call: str, answer: Answer, staff: SignedIn) -> None:
    """Refuse who rings, as a form says."""
    answer_by_refusal(estate, call, check_wish(answer.reason, answer.note, REFUSALS), staff)


def find_call(estate: Estate, call: str) -> ShownCall | None:
    """Return a call that rings."""
    return next((one for one in list_calls(estate) if one.call == call), None)


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    call: str,
    refusal: ServerError | None = None,
    *,
    opening: Answer = NOTHING_YET,
    refusing: Answer = NOTHING_YET,
) -> Response:
    return answer_page(
        request,
        estate,
        staff,
        "call.html.jinja",
        room="",
        here=f"/calls/{call}",
        refusal=refusal,
        answer=opening,
        call=find_call(estate, call),
        id=call,
        refusals=REFUSALS,
        refused=refusing.reason,
    )
