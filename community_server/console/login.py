"""Signing in and out at the desk."""

import math
from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.frame import (
    Text,
    bare_page,
    form_writer,
    go_to,
    problem_of,
    status_of,
)
from community_server.console.setup import is_set_up
from community_server.desk import EstateDep, check_origin
from community_server.errors import SignInRefused, TooManyAttempts
from community_server.estate import Estate
from community_server.setup.community import get_community
from community_server.staff.permissions import Permission
from community_server.staff.routes import Credentials, begin, end
from community_server.staff.sessions import SignedIn

router = APIRouter()

Writer = Annotated[SignedIn, form_writer(Permission.OWN_ACCOUNT)]


@router.get("/login")
def show_login(request: Request, estate: EstateDep) -> Response:
    """Show the sign-in page; before set-up there is nobody to sign in."""
    return _form(request, estate) if is_set_up(estate) else go_to("/setup")


@router.post("/login")
def do_login(
    request: Request, estate: EstateDep, username: Text = "", password: Text = ""
) -> Response:
    """Sign in, or say plainly what is wrong and how long to wait."""
    check_origin(request)
    response = go_to("/")
    try:
        begin(estate, request, response, Credentials(username=username[:200], password=password))
    except (SignInRefused, TooManyAttempts) as refusal:
        return _form(request, estate, username, refusal)
    return response


@router.post("/logout")
def do_logout(request: Request, estate: EstateDep, staff: Writer) -> Response:
    """Sign out."""
    del staff
    response = go_to("/login?done=signed-out")
    end(estate, request, response)
    return response


def _form(
    request: Request,
    estate: Estate,
    username: str = "",
    refusal: SignInRefused | TooManyAttempts | None = None,
) -> Response:
    with estate.reading() as session:
        name = get_community(session).name
    status = status_of(refusal) if refusal else 200
    response = bare_page(
        request,
        "login.html.jinja",
        status=401 if status == 403 else status,  # noqa: PLR2004 -- HTTP's own numbers
        estate_name=name,
        username=username,
        done=request.query_params.get("done", "") if refusal is None else "",
        problem=problem_of(refusal) if refusal else None,
    )
    if isinstance(refusal, TooManyAttempts):
        response.headers["retry-after"] = str(math.ceil(refusal.wait))
    return response
