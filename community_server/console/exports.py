"""Entries taken out as a file: names leave the estate with it, so the password comes first."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from community_server.console.frame import desk_page, go_to
from community_server.desk import EstateDep, reader
from community_server.entries.request import EntryQuery, EntryQueryDep
from community_server.entries.routes import ExportQuery, send_export
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/entries/export")

Reader = Annotated[SignedIn, reader(Permission.EXPORT_ENTRIES)]


@router.get("")
def show_export(
    request: Request, estate: EstateDep, staff: Reader, query: EntryQueryDep
) -> Response:
    """Offer the files, once it is certain who takes them."""
    return desk_page(
        request,
        estate,
        staff,
        "export.html.jinja",
        room="entries",
        here=_address("/entries/export", query),
        said=query.address(),
        back=_address("/entries", query),
    )


@router.get("/{form}")
def send_file(
    form: Literal["csv", "xlsx"],
    request: Request,
    estate: EstateDep,
    staff: Reader,
    query: Annotated[EntryQuery, Query()],
) -> Response:
    """Send a file; whoever waited too long is asked again."""
    if not staff.proven:
        return go_to(_address("/entries/export", query))
    return send_export(request, estate, staff.staff, ExportQuery(**query.model_dump(), form=form))


def _address(path: str, query: EntryQuery) -> str:
    said = query.address()
    return f"{path}?{said}" if said else path
