"""Rounds of asking anew, for programs and for the desk's page."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.consents.outdated import list_outdated
from community_server.consents.rounds import begin_round, list_rounds
from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.visits.answers import tell_homes
from community_server.visits.links import home_link_of

router = APIRouter(prefix="/api/v1/consents", tags=["consents"])

Reader = Annotated[SignedIn, reader(Permission.REMOVE_PEOPLE)]
Beginner = Annotated[SignedIn, writer(Permission.REMOVE_PEOPLE)]


class OutdatedConsent(BaseModel):
    """Somebody with a face whose consent is to an older text; `version` is empty for none at all.

    `has_page` says whether they have a page of their own, which asks them.
    """

    person: str
    name: str = Field(repr=False)
    unit: str
    version: str
    given_at: int
    has_page: bool


class ListedRound(BaseModel):
    """One round; `ended_at` is 0 while it runs, `stopped` of how many the face was erased."""

    version: str
    begun_at: int
    ends_at: int
    ended_at: int
    asked: int
    stopped: int


class RoundRequest(BaseModel):
    """For how many days people are asked."""

    days: Annotated[int, Field(ge=0, le=10_000)]


@router.get("/outdated")
def show_outdated(estate: EstateDep, staff: Reader) -> list[OutdatedConsent]:
    """List who has a face and has not agreed to today's texts."""
    del staff
    return outdated(estate)


@router.get("/rounds")
def show_rounds(estate: EstateDep, staff: Reader) -> list[ListedRound]:
    """List the rounds of asking anew, the newest first."""
    del staff
    return rounds(estate)


@router.post("/rounds", status_code=204)
def begin(body: RoundRequest, estate: EstateDep, staff: Beginner) -> None:
    """Ask everybody whose consent is to an older text; without an answer their face stops."""
    begin_anew(estate, body.days, staff.staff)


def outdated(estate: Estate) -> list[OutdatedConsent]:
    """Return who has a face and has not agreed to today's texts."""
    with estate.reading() as session:
        return [
            OutdatedConsent(
                person=one.person,
                name=estate.name_of(one.person),
                unit=row.roster.unit if (row := estate.book.find(one.person)) else "",
                version=one.version,
                given_at=one.given_at,
                has_page=home_link_of(session, one.person) is not None,
            )
            for one in list_outdated(session)
        ]


def rounds(estate: Estate) -> list[ListedRound]:
    """Return the rounds, the newest first."""
    with estate.reading() as session:
        return [
            ListedRound(
                version=row.version,
                begun_at=row.begun_at,
                ends_at=row.ends_at,
                ended_at=row.ended_at,
                asked=row.asked,
                stopped=row.stopped,
            )
            for row in list_rounds(session)
        ]


def begin_anew(estate: Estate, days: int, staff: str) -> None:
    """Begin a round, note who did, and tell the pages that are open."""
    with estate.changer.change() as change:
        begin_round(change, estate.visiting, days, staff)
        tell_homes(change, estate.visiting, [one.person for one in list_outdated(change.session)])
