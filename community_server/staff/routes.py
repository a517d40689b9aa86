"""Signing in and out, for programs."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from community_server.desk import COOKIE, EstateDep, address_of, check_origin, reader, writer
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import LONGEST, SignedIn, sign_in, sign_out

router = APIRouter(prefix="/api/v1/session", tags=["session"])

Reader = Annotated[SignedIn, reader(Permission.OWN_ACCOUNT)]
Writer = Annotated[SignedIn, writer(Permission.OWN_ACCOUNT)]


class Credentials(BaseModel):
    """A user name and its password."""

    username: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=1000)]


class SessionOpened(BaseModel):
    """The token to send as `X-CSRF-Token` with every write."""

    csrf: str


@router.post("")
def open_session(
    body: Credentials, request: Request, response: Response, estate: EstateDep
) -> SessionOpened:
    """Sign in; the answer sets the session's cookie."""
    check_origin(request)
    return SessionOpened(csrf=begin(estate, request, response, body).csrf)


@router.get("")
def show_session(signed_in: Reader) -> SessionOpened:
    """Return the session's token again."""
    return SessionOpened(csrf=signed_in.csrf)


@router.delete("", status_code=204)
def close_session(
    request: Request, response: Response, estate: EstateDep, signed_in: Writer
) -> None:
    """Sign out."""
    del signed_in
    end(estate, request, response)


def begin(
    estate: Estate, request: Request, response: Response, credentials: Credentials
) -> SignedIn:
    """Open a session and put its cookie on the response."""
    with estate.changer.change() as change:
        token, signed_in = sign_in(
            change.session,
            estate.backoff,
            credentials.username,
            credentials.password,
            address_of(request),
        )
    response.set_cookie(
        COOKIE, token, max_age=LONGEST, path="/", secure=True, httponly=True, samesite="strict"
    )
    return signed_in


def end(estate: Estate, request: Request, response: Response) -> None:
    """End a session and take its cookie away."""
    with estate.changer.change() as change:
        sign_out(change.session, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
