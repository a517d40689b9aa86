"""The daily reports: one page for each day, to be read, printed and signed."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import NotFound, ServerError
from community_server.estate import Estate
from community_server.reports.routes import days, read, sign_day
from community_server.reports.service import MAX_NOTE
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/entries/days")

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]
Signer = Annotated[SignedIn, form_writer(Permission.SIGN_REPORTS)]


@router.get("")
def show_days(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the days, and which of them nobody has signed."""
    return desk_page(
        request,
        estate,
        staff,
        "days.html.jinja",
        room="entries",
        here="/entries/days",
        days=days(estate),
    )


@router.get("/{day}")
def show_day(request: Request, day: str, estate: EstateDep, staff: Reader) -> Response:
    """Show one day's report."""
    return _page(request, estate, staff, day)


@router.post("/{day}")
def sign(request: Request, day: str, estate: EstateDep, staff: Signer, note: Text = "") -> Response:
    """Sign one day's report."""
    try:
        sign_day(estate, day, staff.staff, note)
    except NotFound:
        raise
    except ServerError as refusal:
        return _page(request, estate, staff, day, note=note, refusal=refusal)
    return go_to(f"/entries/days/{day}?done=report-signed")


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    day: str,
    *,
    note: str = "",
    refusal: ServerError | None = None,
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "day.html.jinja",
        room="entries",
        here=f"/entries/days/{day}",
        refusal=refusal,
        report=read(estate, day),
        note=note,
        note_length=MAX_NOTE,
    )
