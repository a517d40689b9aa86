"""A door opened from the desk: the question for the password and the reason, and the answer."""

from fastapi import APIRouter, Request, Response

from community_server.console.doors import find
from community_server.console.frame import FormWriterDep, Text, desk_page, go_to
from community_server.desk import EstateDep, ReaderDep, address_of
from community_server.errors import Conflict, InputRefused, ServerError, TooManyAttempts
from community_server.estate import Estate
from community_server.openings.routes import open_remotely
from community_server.openings.service import MAX_NOTE, REASONS, check_wish
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/doors/{door}/opening")


@router.get("")
def ask_opening(request: Request, door: str, estate: EstateDep, staff: ReaderDep) -> Response:
    """Ask why, and for the password."""
    return _page(request, estate, staff, door)


@router.post("")
def open_door(
    request: Request,
    door: str,
    estate: EstateDep,
    staff: FormWriterDep,
    password: Text = "",
    reason: Text = "",
    note: Text = "",
) -> Response:
    """Open the door, once, or say plainly what became of it."""
    try:
        wish = check_wish(reason, note)
        open_remotely(estate, door, wish, staff, password, address_of(request))
    except (Conflict, InputRefused, TooManyAttempts) as refusal:
        return _page(request, estate, staff, door, refusal, reason, note)
    return go_to(f"/doors/{door}?done=opened")


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    door: str,
    refusal: ServerError | None = None,
    reason: str = "",
    note: str = "",
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "opening.html.jinja",
        room="doors",
        here=f"/doors/{door}/opening",
        refusal=refusal,
        door=find(estate, door),
        reasons=REASONS,
        reason=reason,
        note=note,
        longest=MAX_NOTE,
    )
