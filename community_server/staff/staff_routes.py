"""Staff accounts, for programs of an administrator."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, own_address, reader, writer
from community_server.estate import Estate
from community_server.staff.accounts import (
    ShownAccount,
    list_accounts,
    make_account,
    remove_account,
    renew_link,
    reset_second_factor,
    set_disabled,
    set_role,
)
from community_server.staff.permissions import Permission, Role
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])

Reader = Annotated[SignedIn, reader(Permission.MANAGE_STAFF)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_STAFF, proven=True)]


class AccountRequest(BaseModel):
    """A new account."""

    username: Annotated[str, Field(max_length=200)]
    role: Role


class LinkMade(BaseModel):
    """An account's id, and the link by which its owner sets a password, shown this once."""

    staff: str
    link: str = Field(repr=False)


class AccountChange(BaseModel):
    """What to change; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None


@router.get("")
def show_accounts(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List the accounts."""
    del staff
    return [asdict(one) for one in accounts(estate)]


@router.post("", status_code=201)
def make(body: AccountRequest, request: Request, estate: EstateDep, staff: Writer) -> LinkMade:
    """Make an account; hand the link to its owner, who sets the password within three days."""
    made, secret = add(estate, body, staff.staff)
    return LinkMade(staff=made, link=link_of(request, secret))


@router.post("/{account}/link", status_code=201)
def make_link(account: str, request: Request, estate: EstateDep, staff: Writer) -> LinkMade:
    """Make a new link: the first one was lost, or the password forgotten."""
    secret = relink(estate, account, staff.staff)
    return LinkMade(staff=account, link=link_of(request, secret))


@router.patch("/{account}", status_code=204)
def change_account(account: str, body: AccountChange, estate: EstateDep, staff: Writer) -> None:
    """Give an account another role, close it for now or open it again; its sessions end at once."""
    alter(estate, account, body, staff.staff)


@router.delete("/{account}/second-factor", status_code=204)
def delete_second_factor(account: str, estate: EstateDep, staff: Writer) -> None:
    """Take an account's second factor away; its sessions end."""
    unfactor(estate, account, staff.staff)


@router.delete("/{account}", status_code=204)
def delete_account(account: str, estate: EstateDep, staff: Writer) -> None:
    """Remove an account for good."""
    remove(estate, account, staff.staff)


def accounts(estate: Estate) -> list[ShownAccount]:
    """List the accounts."""
    with estate.reading() as session:
        return list_accounts(session)


def add(estate: Estate, body: AccountRequest, by: str) -> tuple[str, str]:
    """Make an account; return its id and the link's secret."""
    with estate.changer.change() as change:
        return make_account(change, by, body.username, body.role)


def relink(estate: Estate, account: str, by: str) -> str:
    """Make a new link; return its secret."""
    with estate.changer.change() as change:
        return renew_link(change, by, account)


def alter(estate: Estate, account: str, body: AccountChange, by: str) -> None:
    """Change an account."""
    with estate.changer.change() as change:
        if body.role is not None:
            set_role(change, by, account, body.role)
        if body.disabled is not None:
            set_disabled(change, by, account, disabled=body.disabled)


def unfactor(estate: Estate, account: str, by: str) -> None:
    """Take an account's second factor away."""
    with estate.changer.change() as change:
        reset_second_factor(change, by, account)


def remove(estate: Estate, account: str, by: str) -> None:
    """Remove an account."""
    with estate.changer.change() as change:
        remove_account(change, by, account)


def link_of(request: Request, secret: str) -> str:
    """Return the link by which a password is set."""
    return f"{own_address(request)}/welcome/{secret}"
