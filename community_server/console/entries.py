"""The entry log as it happens."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from community_server.console.frame import clock_of, desk_page, fragment
from community_server.desk import EstateDep, reader
from community_server.entries.service import ShownEntry, list_entries
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/entries")

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]

SHOWN = 100
"""Entries on the page: a shift's worth at one gate, and quick on an old PC."""


@router.get("")
def show_entries(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the newest entries."""
    entries = _newest(estate)
    return desk_page(
        request,
        estate,
        staff,
        "entries.html.jinja",
        room="entries",
        here="/entries",
        entries=entries,
        after=_cursor(entries),
    )


@router.get("/live")
def refresh_entries(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Show the newest entries again if one has come since `after`; what is new is marked."""
    del staff
    entries = _newest(estate)
    if _cursor(entries) == after:
        return Response(status_code=204)
    return fragment(
        request,
        "entries_live.html.jinja",
        entries=entries,
        after=after,
        clock=clock_of(request, estate),
    )


def _newest(estate: Estate) -> list[ShownEntry]:
    """Return the newest entries, newest first."""
    with estate.reading() as session:
        return list(list_entries(session, estate.name_of, after=None, limit=SHOWN))[::-1]


def _cursor(entries: list[ShownEntry]) -> int:
    return entries[0].number if entries else 0
