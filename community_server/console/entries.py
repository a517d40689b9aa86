"""The entry log, live."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from community_server.console.frame import desk_page, helpers
from community_server.desk import EstateDep, ReaderDep
from community_server.entries.service import list_entries
from community_server.pages import PAGES, language_of

router = APIRouter(include_in_schema=False)

SHOWN = 200
"""Entries on the page when it opens."""


@router.get("/entries")
def show_entries(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show the newest entries, newest first."""
    with estate.reading() as session:
        entries = list_entries(session, estate.name_of, after=None, limit=SHOWN)
    return desk_page(
        request, estate, signed_in, "entries.html.jinja", entries=entries[::-1], fresh=False
    )


@router.get("/entries/stream")
async def stream_rows(
    request: Request, estate: EstateDep, signed_in: ReaderDep
) -> StreamingResponse:
    """Send each new entry as a row of the table (server-sent events)."""
    del signed_in
    language, values = language_of(request), helpers(request, estate)

    async def rows() -> AsyncIterator[str]:
        async for entry in estate.live.watch():
            if entry is None:
                yield ": beat\n\n"
                continue
            row = PAGES.render("entry.html.jinja", language, entry=entry, fresh=True, **values)
            yield "".join(f"data: {line}\n" for line in row.splitlines()) + "\n"

    return StreamingResponse(rows(), media_type="text/event-stream")
