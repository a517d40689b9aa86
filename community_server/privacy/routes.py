"""The officer's desk, for programs of those who keep it."""

from dataclasses import asdict
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from community_server.audit.looks import note_look
from community_server.database import now
from community_server.desk import EstateDep, RowNumber, reader, writer
from community_server.entries.request import Word, find_people, read_moment
from community_server.estate import Estate
from community_server.pages import language_of
from community_server.privacy.bundle import make_bundle
from community_server.privacy.details import MOST_OTHERS, Details
from community_server.privacy.register import Look, Wanted, list_looks
from community_server.privacy.service import overview, save_details, sign, signed
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_kit.language import Language

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])

Registrar = Annotated[SignedIn, reader(Permission.READ_AUDIT)]
Keeper = Annotated[SignedIn, reader(Permission.KEEP_PRIVACY)]
Writer = Annotated[SignedIn, writer(Permission.KEEP_PRIVACY)]
Signer = Annotated[SignedIn, writer(Permission.KEEP_PRIVACY, proven=True)]
Taker = Annotated[SignedIn, reader(Permission.KEEP_PRIVACY, proven=True)]


class DetailsRequest(BaseModel):
    """Who answers for the data, how to reach them, and faces at the operator's other estates."""

    controller: Annotated[str, Field(max_length=1000)]
    contact: Annotated[str, Field(max_length=1000)]
    other_faces: Annotated[int, Field(ge=0, le=MOST_OTHERS)] = 0


class SignRequest(BaseModel):
    """The name by which somebody signs."""

    name: Annotated[str, Field(max_length=1000)]


class LookQuery(BaseModel):
    """Which looks; what is left out leaves all of them.

    `who` is part of a name or a unit, which beats `person`, an id: whom they were about. `staff` is
    the id of whoever looked. `since` and `until` (exclusive) are Unix seconds, or a time by the
    estate's clock such as `2026-11-25T07:30`; `before` is the number that a page ended with.
    """

    who: Annotated[str, Field(max_length=100, repr=False)] = ""
    person: Word = ""
    staff: Word = ""
    action: Word = ""
    since: Word = ""
    until: Word = ""
    before: Annotated[int, Field(ge=0, le=2**60)] = 0


@router.get("")
def show_desk(estate: EstateDep, staff: Keeper) -> dict[str, object]:
    """Show how many faces there are, who answers for the data, and what an assessment rests on.

    `changed` says that the configuration is another than the one that was signed last, `changes`
    in what. `faces` says whether faces may be used, `held` how many enrollments wait for that.
    """
    del staff
    found = overview(estate)
    return {
        "census": asdict(found.census) | {"total": found.census.total, "near": found.census.near},
        "details": asdict(found.details),
        "facts": found.facts,
        "signed": [
            {
                "number": one.number,
                "signed_at": one.signed_at,
                "name": one.name,
                "sha256": one.sha256,
            }
            for one in found.signed
        ],
        "changed": found.changed,
        "faces": found.faces,
        "held": found.held,
        "changes": [asdict(one) for one in found.changes],
    }


@router.put("/details", status_code=204)
def change_details(body: DetailsRequest, estate: EstateDep, staff: Writer) -> None:
    """Say who answers for the data, and how many faces the operator holds at other estates."""
    wanted = Details(body.controller, body.contact, body.other_faces)
    save_details(estate, staff.staff, wanted)


@router.post("/assessments")
def sign_assessment(body: SignRequest, estate: EstateDep, staff: Signer) -> dict[str, int]:
    """Sign the impact assessment as it is now; the answer is its number."""
    return {"number": sign(estate, staff.staff, body.name)}


@router.get("/assessments/{number}")
def show_assessment(number: RowNumber, estate: EstateDep, staff: Keeper) -> dict[str, object]:
    """Show one impact assessment as it was signed."""
    del staff
    return asdict(signed(estate, number))


@router.get("/looks")
def show_looks(
    estate: EstateDep,
    staff: Registrar,
    query: Annotated[LookQuery, Query()],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, object]]:
    """List who looked at what of whom, and why, the newest first."""
    return [asdict(look) for look in looks_of(estate, staff.staff, query, limit)]


@router.get("/people/{person}", response_class=StreamingResponse)
def take_person(
    person: str, request: Request, estate: EstateDep, staff: Taker
) -> StreamingResponse:
    """Send all that is known of a person as a ZIP: `person.json`, `entries.json`, `person.html`."""
    return send_bundle(estate, person, staff.staff, language_of(request))


def looks_of(estate: Estate, staff: str, query: LookQuery, limit: int) -> list[Look]:
    """List looks, the newest first; whoever asks about one person alone is noted like the others.

    Raises:
        InputRefused: `time-unreadable`.
    """
    wanted = read_wanted(estate, query)
    with estate.reading() as session:
        looks = list_looks(session, estate.safe, wanted, limit)
    if wanted.people is not None and len(wanted.people) == 1:
        (person,) = wanted.people
        if estate.book.find(person):
            note_look(estate, staff, person)
    return looks


def read_wanted(estate: Estate, query: LookQuery) -> Wanted:
    """Return what an address asks for.

    Raises:
        InputRefused: `time-unreadable`.
    """
    zone, people = ZoneInfo(estate.settings.time_zone), None
    if query.who.strip():
        people = frozenset(row.roster.person for row in find_people(estate.book, query.who))
    elif query.person:
        people = frozenset({query.person})
    return Wanted(
        people=people,
        staff=query.staff,
        action=query.action,
        since=read_moment(zone, query.since, "since"),
        until=read_moment(zone, query.until, "until"),
        before=query.before,
    )


def send_bundle(estate: Estate, person: str, staff: str, language: Language) -> StreamingResponse:
    """Send all that is known of a person, and note who takes it away.

    Raises:
        NotFound: `person-unknown`.
    """
    bundle = make_bundle(estate, staff, person, now())
    headers = {
        "content-disposition": f'attachment; filename="{bundle.name}"',
        "cache-control": "no-store",
    }
    return StreamingResponse(bundle.stream(language), headers=headers, media_type="application/zip")
