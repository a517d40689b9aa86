"""The pages people open: the two forms, the front page, and the built files they use."""

from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from enrollment_cloud.communities.profiles import find_profile
from enrollment_cloud.context import CloudDependency, spend_read
from enrollment_cloud.refusals import keep_language, reader_language
from tier_kit.forms.errors import NotFound
from tier_kit.forms.identifiers import community_id
from tier_link.invitations import InvitationKind

router = APIRouter(include_in_schema=False)

_YEAR: Final = 365 * 24 * 3600
_IMMUTABLE: Final = f"public, max-age={_YEAR}, immutable"
"""Built files carry their content's hash in their name, so they never change."""


@router.get("/", dependencies=[Depends(spend_read)])
def show_home(request: Request, cloud: CloudDependency) -> Response:
    """Say what this is to whoever came without a link."""
    return _page(request, cloud, "home.html.jinja")


@router.get("/c/{community}/enroll", dependencies=[Depends(spend_read)])
def show_enroll(community: str, request: Request, cloud: CloudDependency) -> Response:
    """Show the resident's form."""
    return _form(request, cloud, community, "resident")


@router.get("/c/{community}/visit", dependencies=[Depends(spend_read)])
def show_visit(community: str, request: Request, cloud: CloudDependency) -> Response:
    """Show the visitor's form."""
    return _form(request, cloud, community, "visitor")


@router.get("/c/{community}/home", dependencies=[Depends(spend_read)])
def show_own_page(community: str, request: Request, cloud: CloudDependency) -> Response:
    """Show a resident's own page; whose it is stands in the fragment and stays with the phone."""
    return _of_community(request, cloud, community, "own_page.html.jinja")


@router.get("/c/{community}/ask", dependencies=[Depends(spend_read)])
def show_ask(community: str, request: Request, cloud: CloudDependency) -> Response:
    """Show the page for whoever scans a door's poster."""
    return _of_community(request, cloud, community, "ask.html.jinja")


@router.get("/pass", dependencies=[Depends(spend_read)])
def show_pass(request: Request, cloud: CloudDependency) -> Response:
    """Show the page for passes; which one stands in the fragment and stays with the phone."""
    return _page(request, cloud, "pass.html.jinja")


@router.get("/static/{name}")
def read_static(name: str, cloud: CloudDependency) -> Response:
    """Hand out a built script, style or picture; there are no folders below."""
    file = cloud.pages.static_folder / name
    if name.startswith(".") or not file.is_file() or file.parent != cloud.pages.static_folder:
        raise NotFound("page-unknown")
    return FileResponse(file, headers={"cache-control": _IMMUTABLE})


def _form(
    request: Request, cloud: CloudDependency, community: str, kind: InvitationKind
) -> Response:
    return _of_community(request, cloud, community, "form.html.jinja", kind=kind, at_desk=False)


def _of_community(
    request: Request, cloud: CloudDependency, community: str, template: str, **values: str | bool
) -> Response:
    with cloud.database.read() as session:
        name = find_profile(session, community_id(community)).name
    return _page(request, cloud, template, community=community, community_name=name, **values)


def _page(
    request: Request, cloud: CloudDependency, template: str, **values: str | bool
) -> Response:
    language = reader_language(request)
    response = HTMLResponse(
        cloud.pages.render(template, language, path=request.url.path, **values),
        headers={"content-language": language},
    )
    keep_language(request, response)
    return response
