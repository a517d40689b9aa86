"""Set-up, signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from community_server.console.frame import check_form
from community_server.desk import EstateDep, ReaderDep, address_of, check_origin
from community_server.errors import NotSetUp, ServerError
from community_server.pages import PAGES, language_of, show
from community_server.setup.community import find_community, get_community
from community_server.setup.routes import SetupRequest, perform
from community_server.staff.routes import Credentials, begin, end
from page_kit.catalogue import CatalogueError

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]


@router.get("/setup")
def show_setup(request: Request, estate: EstateDep) -> Response:
    """Show the form of the first run."""
    with estate.reading() as session:
        if find_community(session) is not None:
            return RedirectResponse("/login", 303)
    return show(request, "setup.html.jinja", {"values": _typed("", "", ""), "problem": ""})


@router.post("/setup")
def take_setup(
    request: Request,
    estate: EstateDep,
    code: Text = "",
    community_name: Text = "",
    username: Text = "",
    password: Text = "",
) -> Response:
    """Set up; show the recovery kit once."""
    check_origin(request)
    try:
        body = SetupRequest(
            code=code, community_name=community_name, username=username, password=password
        )
        kit = perform(estate, body, address_of(request))
    except (ServerError, ValidationError) as error:
        typed = _typed(code, community_name, username)
        values = {"values": typed, "problem": _sentence(request, error)}
        return show(request, "setup.html.jinja", values, status=422)
    return show(request, "recovery.html.jinja", {"kit": kit})


@router.get("/login")
def show_login(request: Request, estate: EstateDep) -> Response:
    """Show the sign-in form."""
    with estate.reading() as session:
        name = get_community(session).name
    return show(request, "login.html.jinja", {"estate_name": name, "username": "", "problem": ""})


@router.post("/login")
def take_login(
    request: Request, estate: EstateDep, username: Text = "", password: Text = ""
) -> Response:
    """Sign in and go to the overview."""
    check_origin(request)
    with estate.reading() as session:
        name = get_community(session).name
    response = RedirectResponse("/", 303)
    try:
        begin(estate, request, response, Credentials(username=username, password=password))
    except NotSetUp:
        raise
    except (ServerError, ValidationError) as error:
        problem = _sentence(request, error)
        values = {"estate_name": name, "username": username, "problem": problem}
        return show(request, "login.html.jinja", values, status=401)
    return response


@router.post("/logout")
def take_logout(
    request: Request, estate: EstateDep, signed_in: ReaderDep, csrf: Text = ""
) -> Response:
    """Sign out."""
    check_form(request, signed_in, csrf)
    response = RedirectResponse("/login", 303)
    end(estate, request, response)
    return response


def _typed(code: str, community_name: str, username: str) -> dict[str, str]:
    return {"code": code, "community_name": community_name, "username": username}


def _sentence(request: Request, error: Exception) -> str:
    code = error.code if isinstance(error, ServerError) else "input-refused"
    try:
        return PAGES.catalogue.say(language_of(request), f"errors.{code}")
    except CatalogueError:
        return str(error)
