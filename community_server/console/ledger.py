"""The wait for the ledger after a restore, and going on without it."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, fragment, go_to
from community_server.desk import EstateDep, address_of, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.ledger.recovery import REASONS
from community_server.ledger.routes import SkipRequest, look, perform
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/ledger")

Reader = Annotated[SignedIn, reader(Permission.SEE_ESTATE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]


@router.get("")
def show_ledger(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show who has handed back what."""
    return _page(request, estate, staff)


@router.get("/live")
def refresh_ledger(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how that stands now."""
    del staff
    return fragment(request, "ledger_live.html.jinja", ledger=look(estate))


@router.post("")
def skip_ledger(
    request: Request, estate: EstateDep, staff: Writer, reason: Text = "", password: Text = ""
) -> Response:
    """Go on without it; the password has to be right."""
    wanted = SkipRequest(reason=reason[:40], password=password)
    try:
        perform(estate, wanted, staff, address_of(request))
    except ServerError as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/ledger?done=ledger-skipped")


def _page(
    request: Request, estate: Estate, staff: SignedIn, refusal: ServerError | None = None
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "ledger.html.jinja",
        room="backups",
        here="/ledger",
        refusal=refusal,
        ledger=look(estate),
        reasons=REASONS,
    )
