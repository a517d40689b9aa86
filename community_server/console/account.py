"""One's own account: the password, the second factor, where one is signed in."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.console.qr_code import draw_qr_code
from community_server.desk import EstateDep, address_of, reader
from community_server.errors import Conflict, InputRefused, NotFound, ServerError, TooManyAttempts
from community_server.estate import Estate
from community_server.staff.account_routes import (
    ShownSecret,
    begin,
    do_without,
    end_one,
    keep_contact,
    own_contact,
    put_in_force,
    replace_password,
    sessions_of,
)
from community_server.staff.contact import Contact
from community_server.staff.passwords import MIN_PASSWORD
from community_server.staff.permissions import Permission
from community_server.staff.proof import Proof
from community_server.staff.routes import prove
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/account")

Reader = Annotated[SignedIn, reader(Permission.OWN_ACCOUNT)]
Writer = Annotated[SignedIn, form_writer(Permission.OWN_ACCOUNT)]
ProvenWriter = Annotated[SignedIn, form_writer(Permission.OWN_ACCOUNT, proven=True)]

_OWN_PAGE: Final = re.compile(r"(/[\w-]+)+(\?[\w.~%+=&-]*)?", re.ASCII)
"""Where a proof may lead on to: a page of this server, with what it was asked for."""


@router.get("")
def show_account(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show one's own account."""
    return _page(request, estate, staff)


@router.post("/proof")
def give_proof(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    own_password: Text = "",
    own_code: Text = "",
    then: Text = "",
) -> Response:
    """Take the password again, and lead on to the page that asked for it."""
    here = then if _OWN_PAGE.fullmatch(then) else "/account"
    try:
        prove(estate, staff, Proof(address_of(request), own_password, own_code))
    except (InputRefused, TooManyAttempts) as refusal:
        return _asked_again(request, estate, staff, here, refusal)
    return go_to(here)


@router.post("/password")
def change_password(
    request: Request, estate: EstateDep, staff: ProvenWriter, new_password: Text = ""
) -> Response:
    """Change the password; everything that is signed in elsewhere is signed out."""
    try:
        replace_password(estate, staff, new_password)
    except InputRefused as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/account?done=password-changed")


@router.post("/contact")
def change_contact(
    request: Request, estate: EstateDep, staff: Writer, email: Text = "", phone: Text = ""
) -> Response:
    """Keep where messages about alarms reach whoever is signed in."""
    try:
        keep_contact(estate, staff, Contact(email, phone))
    except InputRefused as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/account?done=contact-saved")


@router.post("/second-factor")
def begin_second_factor(request: Request, estate: EstateDep, staff: ProvenWriter) -> Response:
    """Draw a secret, and show it in the only answer that ever holds it."""
    try:
        return _page(request, estate, staff, secret=begin(estate, staff))
    except Conflict as refusal:
        return _page(request, estate, staff, refusal)


@router.post("/second-factor/confirm")
def confirm_second_factor(
    request: Request, estate: EstateDep, staff: Writer, own_code: Text = ""
) -> Response:
    """Put the second factor in force, and show the recovery codes, once."""
    try:
        codes = put_in_force(estate, staff, own_code)
    except (Conflict, InputRefused) as refusal:
        return _page(request, estate, staff, refusal)
    return _page(request, estate, staff, codes=codes)


@router.post("/second-factor/removal")
def remove_second_factor(estate: EstateDep, staff: ProvenWriter) -> Response:
    """Do without the second factor."""
    do_without(estate, staff)
    return go_to("/account?done=second-factor-gone")


@router.post("/sessions/{session}")
def end_session(request: Request, session: str, estate: EstateDep, staff: Writer) -> Response:
    """Sign out somewhere else."""
    try:
        end_one(estate, staff, session)
    except NotFound as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/account?done=session-ended")


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    refusal: ServerError | None = None,
    *,
    secret: ShownSecret | None = None,
    codes: list[str] | None = None,
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "account.html.jinja",
        room="",
        here="/account",
        refusal=refusal,
        me=staff,
        sessions=sessions_of(estate, staff),
        secret=secret,
        qr_code=draw_qr_code(secret.address) if secret else "",
        codes=codes,
        least=MIN_PASSWORD,
        contact=own_contact(estate, staff),
        gateways=sorted(estate.gateways),
    )


def _asked_again(
    request: Request, estate: Estate, staff: SignedIn, here: str, refusal: ServerError
) -> Response:
    return desk_page(
        request, estate, staff, "proof.html.jinja", room="", here=here, refusal=refusal
    )
