"""The night desk: who rings, alarms, doors and lockdown on one page, by keyboard alone."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.alarms.queries import AlarmFilter, list_alarms
from community_server.alarms.routes import notice
from community_server.calls.routes import list_calls
from community_server.console.answer_form import (
    IN_PLACE,
    NOTHING_YET,
    Answer,
    AnswerDep,
    answer_page,
)
from community_server.console.calls import find_call, open_for, refuse_for
from community_server.console.frame import clock_of, form_writer, fragment, go_to
from community_server.desk import EstateDep, reader
from community_server.doors.routes import listing
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.lockdown.routes import look
from community_server.openings.service import REFUSALS
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/night")

Reader = Annotated[SignedIn, reader(Permission.ANSWER_CALLS)]
Writer = Annotated[SignedIn, form_writer(Permission.ANSWER_CALLS)]
Opener = Annotated[SignedIn, form_writer(Permission.OPEN_DOORS)]
Handler = Annotated[SignedIn, form_writer(Permission.HANDLE_ALARMS)]

MOST_ALARMS = 30
"""Open alarms that are listed; their own page has all."""


@router.get("")
def show_night(request: Request, estate: EstateDep, staff: Reader, call: str = "") -> Response:
    """Show the desk, with one call in hand: the one that is named, or who rings longest."""
    return _page(request, estate, staff, call or _longest(estate))


@router.get("/live")
def refresh_night(request: Request, estate: EstateDep, staff: Reader, call: str = "") -> Response:
    """Show what goes on now, beside the call in hand."""
    return fragment(
        request,
        "night_live.html.jinja",
        **_live(estate, call),
        csrf=staff.csrf,
        may=staff.permissions,
        clock=clock_of(request, estate),
    )


@router.post("/calls/{call}/open")
def open_for_call(
    request: Request, call: str, estate: EstateDep, staff: Opener, answer: AnswerDep
) -> Response:
    """Open to who rings, or say plainly what became of it."""
    try:
        open_for(estate, call, answer, staff, request)
    except IN_PLACE as refusal:
        return _page(request, estate, staff, call, refusal, opening=answer)
    return go_to("/night?done=call-opened")


@router.post("/calls/{call}/refuse")
def refuse_call(
    request: Request, call: str, estate: EstateDep, staff: Writer, answer: AnswerDep
) -> Response:
    """Refuse who rings."""
    try:
        refuse_for(estate, call, answer, staff)
    except IN_PLACE as refusal:
        return _page(request, estate, staff, call, refusal, refusing=answer)
    return go_to("/night?done=call-refused")


@router.post("/alarms/{alarm}")
def acknowledge_alarm(alarm: str, estate: EstateDep, staff: Handler) -> Response:
    """Say that an alarm has been seen."""
    notice(estate, alarm, staff.staff)
    return go_to("/night?done=alarm-seen")


def _longest(estate: Estate) -> str:
    return next((one.call for one in list_calls(estate)), "")


def _live(estate: Estate, call: str) -> dict[str, object]:
    """Return what the live part shows; `in_hand` is the call in hand, None when it is over."""
    with estate.reading() as session:
        wanted = AlarmFilter(only_open=True)
        alarms = list_alarms(session, estate.safe, wanted, limit=MOST_ALARMS)
    return {
        "id": call,
        "in_hand": find_call(estate, call),
        "calls": list_calls(estate),
        "alarms": alarms,
        "doors": listing(estate),
        "lockdown": look(estate),
    }


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
        "night.html.jinja",
        room="night",
        here="/night",
        refusal=refusal,
        answer=opening,
        refusals=REFUSALS,
        refused=refusing.reason,
        csrf=staff.csrf,
        **_live(estate, call),
    )
