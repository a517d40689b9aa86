"""The forms' pages: residents' and visitors', a home's own, a poster's, and a pass's."""

from typing import Final

from fastapi import APIRouter, Request, Response

from community_server.estate import Estate
from community_server.own_forms.access import Reading
from community_server.own_forms.service import require_community
from community_server.pages import FORMS, show_from
from tier_kit.forms.identifiers import community_id
from tier_kit.forms.views import Kind

router = APIRouter(include_in_schema=False)

AT_DESK: Final = "desk"
"""What `?at=` says where the form is shown on the desk's own screen. It decides nothing but what
the page keeps and where it leads afterwards: what the enrollment counts for hangs on its link."""


STATEMENT: Final = "/privacy"
"""Where this server says what it keeps; the cloud, which cannot know, shows no such link."""


@router.get("/c/{community}/enroll")
def show_enroll(community: str, request: Request, estate: Reading, at: str = "") -> Response:
    """Show the resident's form."""
    return _form(request, estate, community, "resident", at)


@router.get("/c/{community}/visit")
def show_visit(community: str, request: Request, estate: Reading, at: str = "") -> Response:
    """Show the visitor's form."""
    return _form(request, estate, community, "visitor", at)


@router.get("/c/{community}/home")
def show_own_page(community: str, request: Request, estate: Reading) -> Response:
    """Show a resident's own page; whose it is stands in the fragment and stays with the phone."""
    return _of_community(request, estate, community, "own_page.html.jinja")


@router.get("/c/{community}/ask")
def show_ask(community: str, request: Request, estate: Reading) -> Response:
    """Show the page for whoever scans a door's poster."""
    return _of_community(request, estate, community, "ask.html.jinja")


@router.get("/pass")
def show_pass(request: Request, estate: Reading) -> Response:
    """Show the page for passes; which one stands in the fragment and stays with the phone."""
    del estate
    return show_from(FORMS, request, "pass.html.jinja")


def _form(request: Request, estate: Estate, community: str, kind: Kind, at: str) -> Response:
    return _of_community(
        request, estate, community, "form.html.jinja", kind=kind, at_desk=at == AT_DESK
    )


def _of_community(
    request: Request,
    estate: Estate,
    community: str,
    template: str,
    *,
    kind: Kind | None = None,
    at_desk: bool = False,
) -> Response:
    with estate.reading() as session:
        name = require_community(session, community_id(community))
    return show_from(
        FORMS,
        request,
        template,
        community=community,
        community_name=name,
        privacy=STATEMENT,
        kind=kind,
        at_desk=at_desk,
    )
