"""The entry log, for programs."""

from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.desk import EstateDep, reader, while_signed_in, writer
from community_server.entries.asking import WhyQuery, answer
from community_server.entries.export import COLUMNS, Export
from community_server.entries.looks import check_look, state_reason
from community_server.entries.pages import read_page
from community_server.entries.request import EntryQuery, EntryQueryDep, read_filters
from community_server.entries.search import read_place
from community_server.entries.service import list_entries
from community_server.entries.wording import WhyNot, in_words
from community_server.errors import InputRefused
from community_server.estate import Estate
from community_server.pages import language_of
from community_server.spreadsheets import csv_stream, xlsx_stream
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/entries", tags=["entries"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]
Writer = Annotated[SignedIn, writer(Permission.SEE_ENTRIES)]
Exporter = Annotated[SignedIn, reader(Permission.EXPORT_ENTRIES, proven=True)]


XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class EntrySearch(EntryQuery):
    """Which entries, and from which place in the log on: `older` or `newer` of an answer."""

    older: Annotated[str, Field(max_length=40)] = ""
    newer: Annotated[str, Field(max_length=40)] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class ExportQuery(EntryQuery):
    """Which entries, and in what form."""

    form: Literal["csv", "xlsx"] = "csv"


class LookRequest(BaseModel):
    """Why somebody looks at a person's entries, or at those of all whom `who` means."""

    who: Annotated[str, Field(max_length=100, repr=False)] = ""
    person: Annotated[str, Field(max_length=64)] = ""
    reason: Annotated[str, Field(max_length=40)]
    note: Annotated[str, Field(max_length=1000, repr=False)] = ""


class LookStated(BaseModel):
    """The id to send as `look` for an hour, and how many people it is about."""

    look: str
    people: int


@router.get("")
def show_entries(
    estate: EstateDep,
    staff: Reader,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, object]:
    """List entries in order of arrival: behind a cursor, or the newest ones."""
    del staff
    with estate.reading() as session:
        entries = list_entries(session, estate.name_of, after=after, limit=limit)
    cursor = entries[-1].number if entries else after or 0
    return {"entries": [entry.as_json() for entry in entries], "cursor": cursor}


@router.get("/search")
def search_entries(
    estate: EstateDep, staff: Reader, search: Annotated[EntrySearch, Query()]
) -> dict[str, object]:
    """Find entries, newest first; `older` and `newer` lead on, empty where there are no more."""
    filters = read_filters(estate, search)
    with estate.reading() as session:
        check_look(session, search.look, staff.staff, filters.people)
        page = read_page(
            session,
            estate.name_of,
            filters,
            start=read_place(search.newer or search.older),
            newer=bool(search.newer),
            limit=search.limit,
        )
    entries = [entry.as_json() for entry in page.entries]
    return {"entries": entries, "older": page.older, "newer": page.newer}


@router.get("/export", response_class=StreamingResponse)
def export_entries(
    request: Request,
    estate: EstateDep,
    staff: Exporter,
    query: Annotated[ExportQuery, Query()],
) -> StreamingResponse:
    """Send all entries that fit as a spreadsheet in the reader's language; it is audited."""
    return send_export(request, estate, staff.staff, query)


@router.get("/why")
def explain_refusals(
    request: Request, estate: EstateDep, staff: Reader, query: Annotated[WhyQuery, Query()]
) -> WhyNot:
    """Say why somebody was not let in lately, and what to do, in the reader's language."""
    return in_words(
        answer(estate, query, staff.staff),
        language_of(request),
        ZoneInfo(estate.settings.time_zone),
    )


@router.post("/looks", status_code=201)
def make_look(body: LookRequest, estate: EstateDep, staff: Writer) -> LookStated:
    """State why you look at a person's entries; it is written to the audit log."""
    query = EntryQuery(who=body.who, person=body.person)
    look, people = look_at(estate, staff.staff, query, body.reason, body.note)
    return LookStated(look=look, people=people)


@router.get("/stream", response_class=StreamingResponse)
def stream_entries(estate: EstateDep, staff: Reader, query: EntryQueryDep) -> StreamingResponse:
    """Send entries that fit as they happen (server-sent events named `entry`)."""
    filters = read_filters(estate, query)
    with estate.reading() as session:
        check_look(session, query.look, staff.staff, filters.people)
    stream = while_signed_in(estate, staff, estate.live.stream(filters.matches))
    return StreamingResponse(stream, media_type="text/event-stream")


def send_export(
    request: Request, estate: Estate, staff: str, query: ExportQuery
) -> StreamingResponse:
    """Send all entries that fit, and note who took them out.

    Raises:
        InputRefused: `time-unreadable`, `filter-unknown`, `look-reason-needed`.
    """
    filters = read_filters(estate, query)
    with estate.reading() as session:
        check_look(session, query.look, staff, filters.people)
    note_export(estate, staff, query)
    rows = Export(estate, filters, language_of(request)).rows()
    day = datetime.now(ZoneInfo(estate.settings.time_zone)).date().isoformat()
    headers = {
        "content-disposition": f'attachment; filename="entries-{day}.{query.form}"',
        "cache-control": "no-store",
    }
    if query.form == "csv":
        return StreamingResponse(csv_stream(rows), headers=headers, media_type="text/csv")
    stream = xlsx_stream(rows, list(COLUMNS.values()))
    return StreamingResponse(stream, headers=headers, media_type=XLSX)


def note_export(estate: Estate, staff: str, query: ExportQuery) -> None:
    """Write to the audit log who takes entries out, and which: never a name."""
    said = query.model_dump(exclude={"who", "person", "form"}, exclude_defaults=True)
    which = " ".join(f"{name}={value}" for name, value in said.items())
    with estate.changer.change() as change:
        audit(change.session, staff, "export-entries", query.person, f"{query.form} {which}"[:200])


def look_at(
    estate: Estate, staff: str, query: EntryQuery, reason: str, note: str
) -> tuple[str, int]:
    """Note why somebody looks at whom a query means; return the look and how many they are.

    Raises:
        InputRefused: `nobody-meant`, `reason-missing`, `note-missing`, `note-long`.
    """
    people = read_filters(estate, query).people
    if not people:
        raise InputRefused("this means nobody", field="who", code="nobody-meant")
    with estate.changer.change() as change:
        look = state_reason(change, staff, people, reason, note)
    return look, len(people)
