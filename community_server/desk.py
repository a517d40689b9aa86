"""What every route needs: the estate, who is signed in, what they may, whose a write is."""

from typing import Annotated, Final, cast

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from starlette.requests import HTTPConnection

from community_server.errors import SignInRefused
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn, check_csrf, find_session, note_use

COOKIE: Final = "__Host-gatehouse"
"""The prefix makes browsers refuse it over plain HTTP, from subdomains and other paths."""
CSRF_HEADER: Final = "x-csrf-token"


def get_estate(connection: HTTPConnection) -> Estate:
    """Return the estate this application serves."""
    return cast("Estate", connection.app.state.estate)


EstateDep = Annotated[Estate, Depends(get_estate)]


def get_signed_in(request: Request, estate: EstateDep) -> SignedIn:
    """Return who is at the desk.

    Raises:
        SignInRefused: `sign-in-needed`.
    """
    token = request.cookies.get(COOKIE)
    with estate.reading() as session:
        signed_in, due = find_session(session, token)
    if due and token:
        with estate.changer.change() as change:
            note_use(change.session, token)
    return signed_in


SignedInDep = Annotated[SignedIn, Depends(get_signed_in)]


def reader(permission: Permission) -> Dependency:
    """Return what a route depends on that shows something to whoever may see it.

    Such a route is refused with `sign-in-needed` or `not-permitted`.
    """

    def get_reader(signed_in: SignedInDep) -> SignedIn:
        return signed_in.need(permission)

    return Dependency(get_reader)


def writer(permission: Permission) -> Dependency:
    """Return what a route of the API depends on that changes something.

    Such a route is refused as of `reader`, and with `csrf-wrong` or `origin-wrong`: the session's
    token has to come with the request.
    """

    def get_writer(request: Request, signed_in: SignedInDep) -> SignedIn:
        check_origin(request)
        check_csrf(signed_in, request.headers.get(CSRF_HEADER))
        return signed_in.need(permission)

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
