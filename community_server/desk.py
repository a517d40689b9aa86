"""What every route needs: the estate, who is signed in, what they may, whose a write is."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Final, cast

from annotated_types import Ge, Le
from fastapi import Depends, Request, Response
from fastapi.params import Depends as Dependency
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from community_server.errors import SignInRefused
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import (
    LONGEST,
    SignedIn,
    check_csrf,
    find_session,
    is_open,
    note_use,
)
from community_server.staff.signing_in import DEVICE_LASTS, Caller, Opened
from community_server.staff.tokens import find_token, is_valid, note_token_use

COOKIE: Final = "__Host-gatehouse"
"""The prefix makes browsers refuse it over plain HTTP, from subdomains and other paths."""
DEVICE_COOKIE: Final = "__Host-gatehouse-browser"
"""Names a browser that somebody signed in with; it lets nobody in."""
RowNumber = Annotated[int, Ge(0), Le(2**31 - 1)]
"""A number by which a row is found: no column of either database holds a larger one."""
CSRF_HEADER: Final = "x-csrf-token"
_SCHEME: Final = "bearer "


def get_estate(connection: HTTPConnection) -> Estate:
    """Return the estate this application serves."""
    return cast("Estate", connection.app.state.estate)


EstateDep = Annotated[Estate, Depends(get_estate)]


def get_signed_in(request: Request, estate: EstateDep) -> SignedIn:
    """Return who is at the desk, or which program asks.

    A token counts for the API alone, and no cookie beside it.

    Raises:
        SignInRefused: `sign-in-needed`, `token-wrong`.
        TooManyRequests: a program asks too fast.
    """
    given = request.headers.get("authorization")
    if given is not None and request.url.path.startswith("/api/"):
        return _get_program(estate, given)
    token = request.cookies.get(COOKIE)
    with estate.reading() as session:
        signed_in, due = find_session(session, token, estate.entrance.second_factor_roles)
    if due and token:
        with estate.changer.change() as change:
            note_use(change.session, token)
    return signed_in


def _get_program(estate: Estate, given: str) -> SignedIn:
    if not given.lower().startswith(_SCHEME):
        raise SignInRefused("a token comes as a bearer's", code="token-wrong")
    with estate.reading() as session:
        program, due = find_token(session, given[len(_SCHEME) :].strip())
    estate.programs.take(program.staff)
    if due:
        with estate.changer.change() as change:
            note_token_use(change.session, program.staff)
    return program


SignedInDep = Annotated[SignedIn, Depends(get_signed_in)]


async def while_signed_in(
    estate: Estate, signed_in: SignedIn, stream: AsyncGenerator[str]
) -> AsyncIterator[str]:
    """Pass a stream on until its reader's session or token ends; each part asks for that first."""
    async with aclosing(stream):
        async for part in stream:
            if not await run_in_threadpool(_is_still_here, estate, signed_in):
                return
            yield part


def _is_still_here(estate: Estate, signed_in: SignedIn) -> bool:
    with estate.reading() as session:
        if signed_in.scopes is not None:
            return is_valid(session, signed_in.staff)
        return is_open(session, signed_in.session)


def reader(permission: Permission, *, proven: bool = False) -> Dependency:
    """Return what a route depends on that shows something to whoever may see it.

    Such a route is refused with `sign-in-needed` or `not-permitted`, with `proven` also with
    `proof-needed` unless the password was given a moment ago.
    """

    def get_reader(signed_in: SignedInDep) -> SignedIn:
        signed_in.need(permission)
        return signed_in.need_proof() if proven else signed_in

    return Dependency(get_reader)


def writer(permission: Permission, *, proven: bool = False) -> Dependency:
    """Return what a route of the API depends on that changes something.

    Such a route is refused as of `reader`, and with `csrf-wrong` or `origin-wrong`: the session's
    token has to come with the request, which a program's own token makes needless. With `proven`,
    it is refused with `proof-needed` unless the password was given a moment ago.
    """

    def get_writer(request: Request, signed_in: SignedInDep) -> SignedIn:
        if signed_in.scopes is None:
            check_origin(request)
            check_csrf(signed_in, request.headers.get(CSRF_HEADER))
        signed_in.need(permission)
        return signed_in.need_proof() if proven else signed_in

    return Dependency(get_writer)


def check_origin(request: Request) -> None:
    """Refuse a write that another site's page sends (Fetch Metadata and Origin, RFC 6454).

    Raises:
        SignInRefused: `origin-wrong`.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if site not in {"same-origin", "none"} or origin not in {None, f"https://{host}"}:
        raise SignInRefused("this request comes from another site", code="origin-wrong")


def address_of(request: Request) -> str:
    """Return the address a request comes from."""
    return request.client.host if request.client else "unknown"


def own_address(request: Request) -> str:
    """Return the address by which this browser reaches the server, for links and doors."""
    return f"{request.url.scheme}://{request.url.netloc}"


def caller_of(request: Request) -> Caller:
    """Return where somebody signs in from."""
    return Caller(address_of(request), request.cookies.get(DEVICE_COOKIE, ""))


def give_cookies(response: Response, opened: Opened) -> None:
    """Put a new session's cookies on a response."""
    for name, value, age in (
        (COOKIE, opened.token, LONGEST),
        (DEVICE_COOKIE, opened.device, DEVICE_LASTS),
    ):
        response.set_cookie(
            name, value, max_age=age, path="/", secure=True, httponly=True, samesite="strict"
        )
