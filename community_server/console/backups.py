"""Whether there are backups, and whether the recovery kit would open them."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.backups.routes import look, perform
from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/backups")

Reader = Annotated[SignedIn, reader(Permission.PAIR)]
Writer = Annotated[SignedIn, form_writer(Permission.PAIR, proven=True)]


@router.get("")
def show_backups(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show when the last backup was made, and the form that tries the kit."""
    return _page(request, estate, staff)


@router.post("/kit")
def try_kit(request: Request, estate: EstateDep, staff: Writer, secret: Text = "") -> Response:
    """Try the recovery kit out; what was typed is never shown again."""
    try:
        perform(estate, staff, secret[:200])
    except InputRefused as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/backups?done=kit-checked")


def _page(
    request: Request, estate: Estate, staff: SignedIn, refusal: InputRefused | None = None
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "backups.html.jinja",
        room="backups",
        here="/backups",
        refusal=refusal,
        backups=look(estate),
    )
