"""Openings by staff, for programs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, ReaderDep, WriterDep, address_of
from community_server.doors.service import get_door
from community_server.errors import Conflict
from community_server.estate import Estate
from community_server.openings.asking import OPENED, SHUT, UNHEARD, ask_nonce, ask_opening
from community_server.openings.service import (
    Wish,
    check_wish,
    list_openings,
    note_order,
    note_outcome,
)
from community_server.staff.passwords import MAX_PASSWORD
from community_server.staff.sessions import SignedIn, prove_again

router = APIRouter(prefix="/api/v1", tags=["openings"])


class OpeningRequest(BaseModel):
    """Why a door is to be opened, and the password of whoever says so."""

    password: Annotated[str, Field(max_length=MAX_PASSWORD)]
    reason: Annotated[str, Field(max_length=40)]
    note: Annotated[str, Field(max_length=1000)] = ""


class Opened(BaseModel):
    """The entry that the door has made."""

    entry: str


@router.post("/doors/{door}/open")
def open_door(
    door: str, body: OpeningRequest, request: Request, estate: EstateDep, staff: WriterDep
) -> Opened:
    """Open a door now, once; it has to be connected."""
    wish = check_wish(body.reason, body.note)
    return Opened(
        entry=open_remotely(estate, door, wish, staff, body.password, address_of(request))
    )


@router.get("/openings")
def show_openings(
    estate: EstateDep,
    staff: ReaderDep,
    door: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, object]]:
    """List what staff had opened, and tried to, the newest first."""
    del staff
    with estate.reading() as session:
        openings = list_openings(session, estate.safe, door=door, limit=limit)
    return [one.as_json() for one in openings]


def open_remotely(
    estate: Estate, door: str, wish: Wish, staff: SignedIn, password: str, address: str
) -> str:
    """Have a door opened, once, with a record before and after; return its entry.

    Raises:
        InputRefused, TooManyAttempts: whoever asks has not proven again who they are.
        NotFound: `door-unknown`.
        Conflict: `opening-away`, `opening-unasked`: not asked; `gate-…`: the gate did not confirm;
            `opening-unheard`: it may have opened; `opening-refused`, `not-recordable`: it has not.
    """
    prove_again(estate.reading, estate.backoff, staff, password, address)
    with estate.reading() as session:
        get_door(session, door)
    link = estate.doors.link(door)
    if link is None:
        raise Conflict("this door is not connected", code="opening-away")
    entry = ask_nonce(link)
    with estate.changer.change() as change:
        note_order(change, door, staff.staff, entry, wish)
    outcome = ask_opening(link, entry, staff.staff)
    with estate.changer.change() as change:
        note_outcome(change, entry, outcome)
    if outcome != OPENED:
        raise _not_opened(outcome)
    return entry


def _not_opened(outcome: str) -> Conflict:
    match outcome:
        case "gate-unreachable":
            return Conflict("the gate did not answer", code="gate-unreachable")
        case "gate-refused":
            return Conflict("the gate refused", code="gate-refused")
        case "gate-busy":
            return Conflict("the gate was busy", code="gate-busy")
        case "not-recordable":
            return Conflict("the door cannot record entries", code="not-recordable")
        case code if code == UNHEARD:
            return Conflict("no answer; the door may have opened", code="opening-unheard")
        case code:
            said = code if code in SHUT else "another reason"
            return Conflict(f"the door did not take the order: {said}", code="opening-refused")
