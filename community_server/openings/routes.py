"""Openings by staff, for programs."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, address_of, reader, writer
from community_server.doors.service import get_door
from community_server.errors import Conflict
from community_server.estate import Estate
from community_server.openings.asking import OPENED, UNHEARD, ask_nonce, ask_opening
from community_server.openings.service import (
    Wish,
    check_wish,
    list_openings,
    note_order,
    note_outcome,
)
from community_server.staff.passwords import MAX_PASSWORD
from community_server.staff.permissions import Permission
from community_server.staff.proof import prove_again
from community_server.staff.sessions import SignedIn

NOT_TAKEN: Final = {
    "gate-unreachable": "the gate did not answer",
    "gate-refused": "the gate refused",
    "gate-busy": "the gate was busy",
    "not-recordable": "the door cannot record entries",
    "call-over": "nobody rings any more",
    "call-taken": "somebody else has answered",
}
"""What a door answers that staff are told in words of its own."""

router = APIRouter(prefix="/api/v1", tags=["openings"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]
Opener = Annotated[SignedIn, writer(Permission.OPEN_DOORS)]


class OpeningRequest(BaseModel):
    """Why a door is to be opened, and the password of whoever says so."""

    password: Annotated[str, Field(max_length=MAX_PASSWORD)] = Field(repr=False)
    reason: Annotated[str, Field(max_length=40)]
    note: Annotated[str, Field(max_length=1000)] = ""


class Opened(BaseModel):
    """The entry that the door has made."""

    entry: str


@router.post("/doors/{door}/open")
def open_door(
    door: str, body: OpeningRequest, request: Request, estate: EstateDep, staff: Opener
) -> Opened:
    """Open a door now, once; it has to be connected."""
    wish = check_wish(body.reason, body.note)
    return Opened(
        entry=open_remotely(estate, door, wish, staff, body.password, address_of(request))
    )


@router.get("/openings")
def show_openings(
    estate: EstateDep,
    staff: Reader,
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
    return order_opening(estate, door, wish, staff.staff)


def order_opening(estate: Estate, door: str, wish: Wish, staff: str, call: str = "") -> str:
    """Order what somebody who has proven again who they are may order; see `open_remotely`.

    With a `call` that it answers the door refuses where that is not ringing any more.

    Raises:
        Conflict: as there; `call-over`, `call-taken`: not opened.
    """
    link = estate.doors.link(door)
    if link is None:
        raise Conflict("this door is not connected", code="opening-away")
    entry = ask_nonce(link)
    with estate.changer.change() as change:
        note_order(change, door, staff, wish, entry=entry, call=call)
    outcome = ask_opening(link, entry, staff, call)
    with estate.changer.change() as change:
        note_outcome(change, entry, outcome)
    if outcome != OPENED:
        raise not_taken(outcome)
    return entry


def not_taken(outcome: str) -> Conflict:
    """Return what staff are told of an order that was not carried out, or perhaps was not."""
    if outcome in NOT_TAKEN:
        return Conflict(NOT_TAKEN[outcome], code=outcome)
    if outcome == UNHEARD:
        return Conflict("no answer; the door may have done it", code="opening-unheard")
    return Conflict(f"the door did not take the order: {outcome}", code="opening-refused")
