"""One page of the log: what is shown of a search, and the places beside it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from community_server.entries.filters import Filters
from community_server.entries.search import Place, Search, latest_number
from community_server.entries.service import Namer, ShownEntry, show_entries


@dataclass(frozen=True)
class Page:
    """Entries, newest first, and whether there are older and newer ones.

    `cursor` is the number of the entry that had arrived last, whether or not it is among them.
    """

    entries: list[ShownEntry]
    older: str
    newer: str
    cursor: int


def read_page(
    session: Session,
    name_of: Namer,
    filters: Filters,
    *,
    start: Place | None = None,
    newer: bool = False,
    limit: int,
) -> Page:
    """Return the newest entries that fit, or the next ones from a place on.

    Where fewer than `limit` are newer than the place, these are the newest of all, to a full page.
    """
    cursor = latest_number(session)
    numbers = Search(session, filters, start, newer=newer).numbers(limit + 1)
    if newer and len(numbers) <= limit:
        return read_page(session, name_of, filters, limit=limit)
    more, numbers = len(numbers) > limit, numbers[:limit]
    entries = show_entries(session, name_of, numbers[::-1] if newer else numbers)
    first, last = _place(entries[:1]), _place(entries[-1:])
    return Page(
        entries,
        older=last if more or newer else "",
        newer=first if newer or start is not None else "",
        cursor=cursor,
    )


def _place(entries: list[ShownEntry]) -> str:
    return "".join(str(Place(one.at, one.number)) for one in entries)
