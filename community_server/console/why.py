"""Why was somebody not let in? What a guard needs to tell them, and to do."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from community_server.console.frame import desk_page
from community_server.desk import EstateDep, reader
from community_server.doors.service import list_doors
from community_server.entries.asking import Answer, WhyQuery, answer
from community_server.errors import ServerError
from community_server.snapshots.service import pictured
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/entries/why")

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]


@router.get("")
def ask_why(
    request: Request, estate: EstateDep, staff: Reader, query: Annotated[WhyQuery, Query()]
) -> Response:
    """Show what is found, and the form that asks."""
    said = urlencode(query.model_dump(exclude_defaults=True))
    found: Answer | None = None
    refusal: ServerError | None = None
    try:
        found = answer(estate, query, staff.staff) if said else None
    except ServerError as problem:
        refusal = problem
    may_see = Permission.SEE_SNAPSHOTS in staff.permissions
    with estate.reading() as session:
        pictures = pictured(session, _refusals(found)) if found and may_see else frozenset()
        doors = [(door.id, door.name) for door in list_doors(session)]
    return desk_page(
        request,
        estate,
        staff,
        "why.html.jinja",
        room="entries",
        here=f"/entries/why?{said}" if said else "/entries/why",
        refusal=refusal,
        query=query,
        found=found,
        pictures=pictures,
        doors=doors,
    )


def _refusals(found: Answer) -> list[str]:
    shown = [*found.refusals, *found.unknown, *([found.entry] if found.entry else ())]
    return [one.entry.entry for one in shown]
