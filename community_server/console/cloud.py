"""The link to the cloud, and the certificate by which browsers trust this server."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, fragment, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.setup.routes import status_of as status_of_estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter()

Reader = Annotated[SignedIn, reader(Permission.PAIR)]
Writer = Annotated[SignedIn, form_writer(Permission.PAIR, proven=True)]


@router.get("/cloud")
def show_cloud(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how the link is doing."""
    return _page(request, estate, staff)


@router.get("/cloud/live")
def refresh_cloud(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how the link is doing now."""
    del staff
    return fragment(
        request, "cloud_live.html.jinja", cloud=estate.cloud.state(), state=status_of_estate(estate)
    )


@router.post("/cloud")
def pair_cloud(
    request: Request, estate: EstateDep, staff: Writer, url: Text = "", code: Text = ""
) -> Response:
    """Pair with a cloud."""
    try:
        estate.cloud.pair(url, code, staff.staff)
    except ServerError as refusal:
        return _page(request, estate, staff, url, refusal)
    return go_to("/cloud?done=paired")


@router.get("/ca.pem")
def download_authority(estate: EstateDep) -> Response:
    """Hand out the authority's certificate: public, and needed before anybody can sign in."""
    return Response(
        estate.secrets.authority.pem,
        media_type="application/x-pem-file",
        headers={"content-disposition": 'attachment; filename="gatehouse-ca.pem"'},
    )


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    url: str = "",
    refusal: ServerError | None = None,
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "cloud.html.jinja",
        room="cloud",
        here="/cloud",
        refusal=refusal,
        cloud=estate.cloud.state(),
        state=status_of_estate(estate),
        url=url,
    )
