"""The entry log: searched, and as it happens."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from community_server.console.frame import (
    Text,
    clock_of,
    desk_page,
    form_writer,
    fragment,
    go_to,
)
from community_server.desk import EstateDep, reader
from community_server.doors.service import list_doors
from community_server.entries.filters import CHOICES
from community_server.entries.looks import LASTS, REASONS, check_look
from community_server.entries.pages import Page, read_page
from community_server.entries.request import EntryQuery, Word, read_filters
from community_server.entries.routes import look_at
from community_server.entries.search import newest_behind, read_place
from community_server.entries.tables import EntryLook
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.snapshots.routes import picture_of
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/entries")

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]
SnapshotReader = Annotated[SignedIn, reader(Permission.SEE_SNAPSHOTS)]
Writer = Annotated[SignedIn, form_writer(Permission.SEE_ENTRIES)]

SHOWN: Final = 100
"""Entries on the page: a shift's worth at one gate, and quick on an old PC."""
NAMED: Final = 8
"""People whom a search means and who are named, each to be looked at alone."""


class PageQuery(EntryQuery):
    """What the page shows, and from which place on; with no place it follows what happens."""

    older: Word = ""
    newer: Word = ""

    def page(self, **more: str) -> str:
        """Return the page's address, without what is empty."""
        said = self.address(**more)
        return f"/entries?{said}" if said else "/entries"


PageQueryDep = Annotated[PageQuery, Query()]


class LiveQuery(PageQuery):
    """A page's query, and the number of the last arrival that it has shown."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0


@dataclass(frozen=True)
class Meant:
    """Whom a search means: some of them, and how many they are; and whether to say why first."""

    people: list[tuple[str, str, str]] = field(repr=False)
    count: int
    look: EntryLook | None
    asks: bool


@router.get("")
def show_entries(
    request: Request, estate: EstateDep, staff: Reader, query: PageQueryDep
) -> Response:
    """Show entries, the newest first; an address without empty fields is one to keep."""
    if "" in request.query_params.values():
        return go_to(query.page())
    return _page(request, estate, staff, query)


@router.get("/live")
def refresh_entries(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    query: Annotated[LiveQuery, Query()],
) -> Response:
    """Show the newest entries again if one that fits has come since `after`; it is marked."""
    filters = read_filters(estate, query)
    with estate.reading() as session:
        check_look(session, query.look, staff.staff, filters.people)
        if newest_behind(session, filters, query.after) is None:
            return Response(status_code=204)
        page = read_page(session, estate.name_of, filters, limit=SHOWN)
    return fragment(
        request,
        "entries_live.html.jinja",
        page=page,
        query=query,
        after=query.after,
        clock=clock_of(request, estate),
    )


@router.get("/{entry}/snapshot")
def show_snapshot(entry: str, estate: EstateDep, staff: SnapshotReader) -> Response:
    """Show what a door saw of a face that it refused; each look is in the audit log."""
    return picture_of(estate, entry, staff.staff)


@router.post("/looks")
def state_reason(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    query: PageQueryDep,
    why: Text = "",
    note: Text = "",
) -> Response:
    """Note why somebody is looked at, and show their entries."""
    try:
        look, _ = look_at(estate, staff.staff, query, why, note)
    except ServerError as refusal:
        return _page(request, estate, staff, query, refusal=refusal, why=why, note=note)
    return go_to(query.page(look=look))


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    query: PageQuery,
    *,
    refusal: ServerError | None = None,
    why: str = "",
    note: str = "",
) -> Response:
    page, meant = Page([], older="", newer="", cursor=0), Meant([], 0, None, asks=False)
    try:
        page, meant = _read(estate, staff, query)
    except InputRefused as problem:
        refusal = refusal or problem
    with estate.reading() as session:
        doors = [(door.id, door.name) for door in list_doors(session)]
    return desk_page(
        request,
        estate,
        staff,
        "entries.html.jinja",
        room="entries",
        here=query.page(),
        refusal=refusal,
        page=page,
        query=query,
        meant=meant,
        after=page.cursor,
        doors=doors,
        choices=CHOICES,
        look_reasons=REASONS,
        look_lasts=LASTS,
        why=why,
        note=note,
    )


def _read(estate: Estate, staff: SignedIn, query: PageQuery) -> tuple[Page, Meant]:
    filters = read_filters(estate, query)
    with estate.reading() as session:
        look, asks = None, False
        try:
            look = check_look(session, query.look, staff.staff, filters.people)
        except InputRefused:
            asks = True
        meant = _meant(estate, filters.people or frozenset(), look, asks=asks)
        if asks:
            return Page([], older="", newer="", cursor=0), meant
        page = read_page(
            session,
            estate.name_of,
            filters,
            start=read_place(query.newer or query.older),
            newer=bool(query.newer),
            limit=SHOWN,
        )
    return page, meant


def _meant(estate: Estate, people: frozenset[str], look: EntryLook | None, *, asks: bool) -> Meant:
    rows = [row for row in map(estate.book.find, people) if row is not None]
    rows.sort(key=lambda row: (row.name, row.roster.unit))
    named = [(row.roster.person, row.name, row.roster.unit) for row in rows[:NAMED]]
    return Meant(named, len(people), look, asks=asks)
