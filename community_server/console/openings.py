"""A door opened from the desk: the question for the password and the reason, and the answer."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.doors import find
from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.desk import EstateDep, address_of, reader
from community_server.errors import Conflict, InputRefused, ServerError, TooManyAttempts
from community_server.estate import Estate
from community_server.openings.routes import open_remotely
from community_server.openings.service import MAX_NOTE, REASONS, check_wish
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/doors/{door}/opening")

Reader = Annotated[SignedIn, reader(Permission.OPEN_DOORS)]
Writer = Annotated[SignedIn, form_writer(Permission.OPEN_DOORS)]


@router.get("")
def ask_opening(request: Request, door: str, estate: EstateDep, staff: Reader) -> Response:
    """Ask why, and for the password."""
    return _page(request, estate, staff, door)


@router.post("")
def open_door(
    request: Request,
    door: str,
    estate: EstateDep,
    staff: Writer,
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
