"""The first page after signing in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import desk_page, fragment
from community_server.desk import EstateDep, ReaderDep, WriterDep
from community_server.doors.routes import listing
from community_server.intake.approvals import list_waiting
from community_server.pages import PAGES, language_of
from community_server.setup.routes import status_of

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_overview(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show how the estate is doing."""
    with estate.reading() as session:
        waiting = len(list_waiting(session, estate.safe))
    doors = listing(estate)
    return desk_page(
        request,
        estate,
        signed_in,
        "overview.html.jinja",
        status=status_of(estate),
        waiting=waiting,
        doors=len(doors),
        connected=sum(door.connected for door in doors),
        budget=f"{estate.settings.wrong_openings_per_month:g}",
    )


@router.post("/cloud")
def pair_cloud(
    request: Request,
    estate: EstateDep,
    staff: WriterDep,
    url: Annotated[str, Form(max_length=500)] = "",
    code: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Pair with a cloud."""
    community = estate.cloud.pair(url, code, staff.staff)
    text = PAGES.catalogue.say(language_of(request), "overview.cloud-paired", community=community)
    return fragment(request, estate, "notice.html.jinja", kind="good", text=text, code="paired")


@router.get("/ca.pem")
def download_ca(estate: EstateDep) -> Response:
    """Give out the CA's certificate: it is public, and desks have to install it."""
    headers = {"content-disposition": 'attachment; filename="gatehouse-ca.pem"'}
    return Response(
        estate.secrets.authority.pem, media_type="application/x-pem-file", headers=headers
    )
