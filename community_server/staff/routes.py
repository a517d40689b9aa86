"""Signing in and out, for programs that act for somebody at the desk."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from community_server.desk import (
    COOKIE,
    EstateDep,
    address_of,
    caller_of,
    check_origin,
    give_cookies,
    reader,
    writer,
)
from community_server.errors import SignInRefused
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.proof import Proof, confirm
from community_server.staff.sessions import SignedIn, sign_out
from community_server.staff.signing_in import CodeWanted

router = APIRouter(prefix="/api/v1/session", tags=["session"])

Reader = Annotated[SignedIn, reader(Permission.OWN_ACCOUNT)]
Writer = Annotated[SignedIn, writer(Permission.OWN_ACCOUNT)]

Password = Annotated[str, Field(max_length=1000, repr=False)]
Code = Annotated[str, Field(max_length=64, repr=False)]


class Credentials(BaseModel):
    """A user name, its password and, where the account has a second factor, a code."""

    username: Annotated[str, Field(max_length=200)]
    password: Password
    code: Code = ""


class SessionOpened(BaseModel):
    """The token to send as `X-CSRF-Token` with every write."""

    csrf: str = Field(repr=False)


class ProofGiven(BaseModel):
    """The password again, and a code where the account has a second factor."""

    password: Password
    code: Code = ""


@router.post("")
def open_session(
    body: Credentials, request: Request, response: Response, estate: EstateDep
) -> SessionOpened:
    """Sign in; the answer sets the session's cookie."""
    check_origin(request)
    caller = caller_of(request)
    answer = estate.entrance.take_password(body.username, body.password, caller)
    if isinstance(answer, CodeWanted):
        if not body.code:
            raise SignInRefused("a code is needed as well", code="second-factor-needed")
        answer = estate.entrance.take_code(answer.ticket, body.code, caller)
    give_cookies(response, answer)
    return SessionOpened(csrf=answer.signed_in.csrf)


@router.get("")
def show_session(signed_in: Reader) -> SessionOpened:
    """Return the session's token again."""
    return SessionOpened(csrf=signed_in.csrf)


@router.post("/proof", status_code=204)
def give_proof(body: ProofGiven, request: Request, estate: EstateDep, staff: Writer) -> None:
    """Show that it is still you, which some requests ask for; it counts for five minutes."""
    prove(estate, staff, Proof(address_of(request), body.password, body.code))


@router.delete("", status_code=204)
def close_session(
    request: Request, response: Response, estate: EstateDep, signed_in: Writer
) -> None:
    """Sign out."""
    del signed_in
    end(estate, request, response)


def prove(estate: Estate, staff: SignedIn, proof: Proof) -> None:
    """Make sure that it is still them, before what is dangerous; refuses what `confirm` refuses."""
    confirm(estate.reading, estate.changer, estate.backoff, staff, proof)


def end(estate: Estate, request: Request, response: Response) -> None:
    """End a session and take its cookie away."""
    with estate.changer.change() as change:
        sign_out(change.session, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
