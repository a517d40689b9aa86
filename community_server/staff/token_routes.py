"""Programs' tokens, for programs of an administrator."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.staff.tokens import ShownToken, list_tokens, make_token, revoke_token

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])

Reader = Annotated[SignedIn, reader(Permission.MANAGE_STAFF)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_STAFF, proven=True)]


class TokenRequest(BaseModel):
    """A token to be made; `expires_at` in Unix seconds, at most two years ahead."""

    name: Annotated[str, Field(max_length=200)]
    scopes: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=40)]
    expires_at: Annotated[int, Field(ge=0, le=2**40)]


class TokenMade(BaseModel):
    """The token's id, and the token itself, shown this once."""

    token: str
    secret: str = Field(repr=False)


@router.get("")
def show_tokens(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List the tokens that were not revoked."""
    del staff
    return [asdict(one) for one in tokens(estate)]


@router.post("", status_code=201)
def make(body: TokenRequest, estate: EstateDep, staff: Writer) -> TokenMade:
    """Make a token; programs send it as `Authorization: Bearer …`."""
    token, secret = add(estate, body, staff.staff)
    return TokenMade(token=token, secret=secret)


@router.delete("/{token}", status_code=204)
def delete_token(token: str, estate: EstateDep, staff: Writer) -> None:
    """Revoke a token, at once."""
    revoke(estate, token, staff.staff)


def tokens(estate: Estate) -> list[ShownToken]:
    """List the tokens."""
    with estate.reading() as session:
        return list_tokens(session)


def add(estate: Estate, body: TokenRequest, by: str) -> tuple[str, str]:
    """Make a token; return its id and itself."""
    with estate.changer.change() as change:
        return make_token(change, by, body.name, body.scopes, body.expires_at)


def revoke(estate: Estate, token: str, by: str) -> None:
    """Revoke a token."""
    with estate.changer.change() as change:
        revoke_token(change, by, token)
