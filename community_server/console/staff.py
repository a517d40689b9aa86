"""Staff accounts: made, given a role, closed, removed."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.console.qr_code import draw_qr_code
from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused, NotFound, ServerError
from community_server.estate import Estate
from community_server.staff.accounts import ShownAccount
from community_server.staff.permissions import PERMISSIONS, Permission, Role
from community_server.staff.sessions import SignedIn
from community_server.staff.staff_routes import (
    AccountChange,
    AccountRequest,
    accounts,
    add,
    alter,
    link_of,
    relink,
    remove,
    unfactor,
)

router = APIRouter(prefix="/staff")

Reader = Annotated[SignedIn, reader(Permission.MANAGE_STAFF)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_STAFF, proven=True)]


@dataclass(frozen=True)
class ShownLink:
    """A link by which somebody sets a password, and its QR code as SVG."""

    username: str
    link: str = field(repr=False)
    qr_code: str = field(repr=False)


@router.get("")
def show_accounts(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the accounts."""
    return _list(request, estate, staff)


@router.post("")
def make_account(
    request: Request, estate: EstateDep, staff: Writer, username: Text = "", role: Text = ""
) -> Response:
    """Make an account, and show the link in the only answer that ever holds it."""
    try:
        _, secret = add(
            estate, AccountRequest(username=username[:200], role=read(role)), staff.staff
        )
    except InputRefused as refusal:
        return _list(request, estate, staff, username=username, role=role, refusal=refusal)
    return _list(request, estate, staff, link=_link(request, username.strip(), secret))


@router.get("/{account}")
def show_account(request: Request, account: str, estate: EstateDep, staff: Reader) -> Response:
    """Show one account, and what can be done."""
    return _one(request, estate, staff, account)


@router.post("/{account}/link")
def make_link(request: Request, account: str, estate: EstateDep, staff: Writer) -> Response:
    """Make a new link, and show it in the only answer that ever holds it."""
    shown = find(estate, account)
    try:
        secret = relink(estate, account, staff.staff)
    except ServerError as refusal:
        return _one(request, estate, staff, account, refusal=refusal)
    link = _link(request, shown.username, secret)
    return _one(request, estate, staff, account, link=link)


@router.post("/{account}/role")
def change_role(
    request: Request, account: str, estate: EstateDep, staff: Writer, role: Text = ""
) -> Response:
    """Give an account another role."""
    try:
        alter(estate, account, AccountChange(role=read(role)), staff.staff)
    except ServerError as refusal:
        return _one(request, estate, staff, account, refusal=refusal)
    return go_to("/staff?done=role-changed")


@router.post("/{account}/disabled")
def set_disabled(
    request: Request, account: str, estate: EstateDep, staff: Writer, disabled: Text = ""
) -> Response:
    """Close an account for now, or open it again."""
    wanted = disabled == "yes"
    try:
        alter(estate, account, AccountChange(disabled=wanted), staff.staff)
    except ServerError as refusal:
        return _one(request, estate, staff, account, refusal=refusal)
    return go_to(f"/staff?done={'account-disabled' if wanted else 'account-enabled'}")


@router.post("/{account}/second-factor/removal")
def remove_second_factor(account: str, estate: EstateDep, staff: Writer) -> Response:
    """Take an account's second factor away: its owner lost it."""
    unfactor(estate, account, staff.staff)
    return go_to(f"/staff/{account}?done=second-factor-reset")


@router.post("/{account}/removal")
def remove_account(request: Request, account: str, estate: EstateDep, staff: Writer) -> Response:
    """Remove an account for good."""
    try:
        remove(estate, account, staff.staff)
    except ServerError as refusal:
        return _one(request, estate, staff, account, refusal=refusal)
    return go_to("/staff?done=account-removed")


def find(estate: Estate, account: str) -> ShownAccount:
    """Return one account as lists show it.

    Raises:
        NotFound: `staff-unknown`.
    """
    found = next((one for one in accounts(estate) if one.staff == account), None)
    if found is None:
        raise NotFound("no such account", code="staff-unknown")
    return found


def read(role: str) -> Role:
    """Return the role that a form names.

    Raises:
        InputRefused: there is none of that name.
    """
    try:
        return Role(role)
    except ValueError as error:
        raise InputRefused("no such role", field="role") from error


def _link(request: Request, username: str, secret: str) -> ShownLink:
    link = link_of(request, secret)
    return ShownLink(username, link, draw_qr_code(link))


def _list(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    username: str = "",
    role: str = "guard",
    link: ShownLink | None = None,
    refusal: ServerError | None = None,
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "staff.html.jinja",
        room="staff",
        here="/staff",
        refusal=refusal,
        accounts=accounts(estate),
        roles=tuple(Role),
        username=username,
        role=role,
        link=link,
    )


def _one(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    account: str,
    *,
    link: ShownLink | None = None,
    refusal: ServerError | None = None,
) -> Response:
    shown = find(estate, account)
    return desk_page(
        request,
        estate,
        staff,
        "staff_account.html.jinja",
        room="staff",
        here=f"/staff/{account}",
        refusal=refusal,
        account=shown,
        own=account == staff.staff,
        roles=tuple(Role),
        powers=sorted(PERMISSIONS[Role(shown.role)] - {Permission.OWN_ACCOUNT}),
        link=link,
    )
