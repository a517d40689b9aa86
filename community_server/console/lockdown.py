"""The whole estate locked down, and released: who is at which door can see it."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, clock_of, desk_page, form_writer, fragment, go_to
from community_server.desk import EstateDep, address_of, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.lockdown.routes import LockdownRequest, look, perform
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/lockdown")

Reader = Annotated[SignedIn, reader(Permission.SEE_ESTATE)]
Writer = Annotated[SignedIn, form_writer(Permission.LOCK_DOWN)]


@router.get("")
def show_lockdown(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the state, every door's, and the form that changes it."""
    return _page(request, estate, staff)


@router.get("/live")
def refresh_doors(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how the doors stand now."""
    return _fragment(request, estate, staff, "lockdown_live.html.jinja")


@router.get("/banner")
def refresh_banner(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show on every page whether there is a lockdown."""
    return _fragment(request, estate, staff, "lockdown_banner.html.jinja")


@router.post("")
def declare(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    active: Text = "",
    reason: Text = "",
    password: Text = "",
) -> Response:
    """Lock the estate down, or end that; the password has to be right."""
    wanted = LockdownRequest(active=active == "yes", reason=reason, password=password)
    try:
        perform(estate, wanted, staff, address_of(request))
    except ServerError as refusal:
        return _page(request, estate, staff, reason=reason, refusal=refusal)
    return go_to(f"/lockdown?done={'locked-down' if wanted.active else 'lockdown-ended'}")


def _fragment(request: Request, estate: Estate, staff: SignedIn, template: str) -> Response:
    return fragment(
        request,
        template,
        lockdown=look(estate),
        may=staff.permissions,
        clock=clock_of(request, estate),
    )


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    reason: str = "",
    refusal: ServerError | None = None,
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "lockdown.html.jinja",
        room="lockdown",
        here="/lockdown",
        refusal=refusal,
        reason=reason,
    )
