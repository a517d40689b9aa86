"""Events behind a cursor, for programs that ask."""

from typing import Annotated

from fastapi import APIRouter, Query

from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused
from community_server.events.kinds import KINDS
from community_server.events.service import newest_number, read_events
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/events", tags=["events"])

Reader = Annotated[SignedIn, reader(Permission.SEE_EVENTS)]


@router.get("")
def show_events(
    estate: EstateDep,
    staff: Reader,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    kinds: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, object]:
    """List events behind a cursor, in order; without `after` none, but the cursor to begin with.

    `kinds` are separated by commas; all when empty. `cursor` is what to ask `after` next: also
    behind events of other kinds.
    """
    del staff
    wanted = [kind for kind in kinds.split(",") if kind]
    if not set(wanted) <= set(KINDS):
        raise InputRefused("no such kind of event", field="kinds", code="event-kind-unknown")
    with estate.reading() as session:
        newest = newest_number(session)
        if after is None:
            return {"events": [], "cursor": newest}
        events = read_events(session, after=after, limit=limit, kinds=wanted)
    last = events[-1].number if events else after
    # Behind a whole page there may be more; behind less there is none of these kinds so far.
    cursor = last if len(events) == limit else max(newest, last)
    return {"events": [one.as_json() for one in events], "cursor": cursor}
