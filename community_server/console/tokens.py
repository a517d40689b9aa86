"""Programs' tokens: made, shown once, revoked."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response

from community_server.console.clock import read_day
from community_server.console.frame import Text, desk_page, form_writer, go_to, zone_of
from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.staff.permissions import SCOPES, Permission
from community_server.staff.sessions import SignedIn
from community_server.staff.token_routes import TokenRequest, add, revoke, tokens

router = APIRouter(prefix="/tokens")

Reader = Annotated[SignedIn, reader(Permission.MANAGE_STAFF)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_STAFF, proven=True)]

USUAL_DAYS: Final = 365


@router.get("")
def show_tokens(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the tokens."""
    return _page(request, estate, staff)


@router.post("")
def make_token(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    scopes: Annotated[list[str], Form(default_factory=list, max_length=40)],
    name: Text = "",
    ends_on: Text = "",
) -> Response:
    """Make a token, and show it in the only answer that ever holds it."""
    try:
        ends = read_day(zone_of(estate), ends_on, "ends_on")
        wanted = TokenRequest(name=name[:200], scopes=[one[:40] for one in scopes], expires_at=ends)
        _, secret = add(estate, wanted, staff.staff)
    except InputRefused as refusal:
        return _page(request, estate, staff, refusal, name=name, scopes=scopes, ends_on=ends_on)
    return _page(request, estate, staff, made=secret, made_name=name.strip())


@router.post("/{token}/revocation")
def revoke_token(token: str, estate: EstateDep, staff: Writer) -> Response:
    """Revoke a token, at once."""
    revoke(estate, token, staff.staff)
    return go_to("/tokens?done=token-revoked")


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    refusal: ServerError | None = None,
    *,
    name: str = "",
    scopes: list[str] | None = None,
    ends_on: str = "",
    made: str = "",
    made_name: str = "",
) -> Response:
    usual = datetime.now(zone_of(estate)) + timedelta(days=USUAL_DAYS)
    return desk_page(
        request,
        estate,
        staff,
        "tokens.html.jinja",
        room="staff",
        here="/tokens",
        refusal=refusal,
        tokens=tokens(estate),
        scopes=SCOPES,
        name=name,
        chosen=scopes or [],
        ends_on=ends_on or usual.date().isoformat(),
        made=made,
        made_name=made_name,
    )
