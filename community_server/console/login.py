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
from community_server.desk import EstateDep, caller_of, check_origin, give_cookies
from community_server.errors import InputRefused, ServerError, SignInRefused, TooManyAttempts
from community_server.estate import Estate
from community_server.setup.community import get_community
from community_server.staff.permissions import Permission
from community_server.staff.routes import end
from community_server.staff.sessions import SignedIn
from community_server.staff.signing_in import CodeWanted, Opened

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
    """Sign in, ask for the code that is still to come, or say plainly what is wrong."""
    check_origin(request)
    try:
        answer = estate.entrance.take_password(username[:200], password, caller_of(request))
    except (SignInRefused, TooManyAttempts) as refusal:
        return _form(request, estate, username, refusal)
    if isinstance(answer, CodeWanted):
        return _code_form(request, estate, answer.ticket)
    return _welcome(answer)


@router.post("/login/code")
def take_code(
    request: Request, estate: EstateDep, ticket: Text = "", own_code: Text = ""
) -> Response:
    """Take the code that follows the password."""
    check_origin(request)
    try:
        opened = estate.entrance.take_code(ticket, own_code, caller_of(request))
    except SignInRefused as refusal:
        return _form(request, estate, refusal=refusal)
    except (InputRefused, TooManyAttempts) as refusal:
        return _code_form(request, estate, ticket, refusal)
    return _welcome(opened)


@router.post("/logout")
def do_logout(request: Request, estate: EstateDep, staff: Writer) -> Response:
    """Sign out."""
    del staff
    response = go_to("/login?done=signed-out")
    end(estate, request, response)
    return response


def _welcome(opened: Opened) -> Response:
    response = go_to("/")
    give_cookies(response, opened)
    return response


def _form(
    request: Request,
    estate: Estate,
    username: str = "",
    refusal: SignInRefused | TooManyAttempts | None = None,
) -> Response:
    status = status_of(refusal) if refusal else 200
    response = bare_page(
        request,
        "login.html.jinja",
        status=401 if status == 403 else status,  # noqa: PLR2004 -- HTTP's own numbers
        estate_name=_name(estate),
        username=username,
        done=request.query_params.get("done", "") if refusal is None else "",
        problem=problem_of(refusal) if refusal else None,
    )
    return _with_wait(response, refusal)


def _code_form(
    request: Request,
    estate: Estate,
    ticket: str,
    refusal: InputRefused | TooManyAttempts | None = None,
) -> Response:
    response = bare_page(
        request,
        "login_code.html.jinja",
        status=status_of(refusal) if refusal else 200,
        estate_name=_name(estate),
        ticket=ticket,
        problem=problem_of(refusal) if refusal else None,
    )
    return _with_wait(response, refusal)


def _with_wait(response: Response, refusal: ServerError | None) -> Response:
    if isinstance(refusal, TooManyAttempts):
        response.headers["retry-after"] = str(math.ceil(refusal.wait))
    return response


def _name(estate: Estate) -> str:
    with estate.reading() as session:
        return get_community(session).name
