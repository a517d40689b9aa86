"""The entry log, for programs."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from community_server.desk import EstateDep, reader
from community_server.entries.service import list_entries
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/entries", tags=["entries"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]


@router.get("")
def show_entries(
    estate: EstateDep,
    staff: Reader,
    after: Annotated[int | None, Query(ge=0)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, object]:
    """List entries in order of arrival: behind a cursor, or the newest ones."""
    del staff
    with estate.reading() as session:
        entries = list_entries(session, estate.name_of, after=after, limit=limit)
    cursor = entries[-1].number if entries else after or 0
    return {"entries": [entry.as_json() for entry in entries], "cursor": cursor}


@router.get("/stream", response_class=StreamingResponse)
async def stream_entries(estate: EstateDep, staff: Reader) -> StreamingResponse:
    """Send entries as they happen (server-sent events named `entry`)."""
    del staff
    return StreamingResponse(estate.live.stream(), media_type="text/event-stream")
