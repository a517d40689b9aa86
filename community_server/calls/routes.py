"""Calls, for programs."""

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from community_server.calls.book import Ringing
from community_server.database import new_id
from community_server.desk import EstateDep, address_of, reader, writer
from community_server.doors.tables import Door
from community_server.errors import Conflict, NotFound
from community_server.estate import Estate
from community_server.openings.asking import REFUSED, UNHEARD, ask_refusal
from community_server.openings.routes import Opened, OpeningRequest, not_taken, order_opening
from community_server.openings.service import (
    REFUSALS,
    Wish,
    check_wish,
    note_order,
    note_outcome,
)
from community_server.staff.permissions import Permission
from community_server.staff.proof import prove_again
from community_server.staff.sessions import SignedIn
from tier_link.estate_messages import CallRefused

router = APIRouter(prefix="/api/v1/calls", tags=["calls"])

Reader = Annotated[SignedIn, reader(Permission.ANSWER_CALLS)]
Answerer = Annotated[SignedIn, writer(Permission.ANSWER_CALLS)]
Opener = Annotated[SignedIn, writer(Permission.OPEN_DOORS)]


class RefusalRequest(BaseModel):
    """Why whoever rings is not let in."""

    reason: Annotated[str, Field(max_length=40)]
    note: Annotated[str, Field(max_length=1000)] = ""


@dataclass(frozen=True)
class ShownCall:
    """One call that rings, as staff see it. `picture` is the number of its newest still."""

    call: str
    door: str
    door_name: str
    rung_s: int
    picture: int

    def as_json(self) -> dict[str, object]:
        """Return it as the API sends it."""
        return asdict(self)


@router.get("")
def show_calls(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List the calls that ring now, the longest first."""
    del staff
    return [one.as_json() for one in list_calls(estate)]


@router.get("/{call}/still", response_class=Response)
def show_still(call: str, estate: EstateDep, staff: Reader) -> Response:
    """Show what the door's camera sees of whoever rings."""
    del staff
    return still_of(estate, call)


@router.post("/{call}/open")
def open_for_call(
    call: str, body: OpeningRequest, request: Request, estate: EstateDep, staff: Opener
) -> Opened:
    """Answer a call by opening the door, once."""
    wish = check_wish(body.reason, body.note)
    address = address_of(request)
    return Opened(entry=answer_by_opening(estate, call, wish, staff, body.password, address))


@router.post("/{call}/refuse", status_code=204)
def refuse_call(call: str, body: RefusalRequest, estate: EstateDep, staff: Answerer) -> None:
    """Answer a call by a refusal, whose reason whoever rings reads at the door."""
    answer_by_refusal(estate, call, check_wish(body.reason, body.note, REFUSALS), staff)


def list_calls(estate: Estate) -> list[ShownCall]:
    """Return the calls that ring, the longest first."""
    ringing = estate.calls.ringing()
    if not ringing:
        return []
    with estate.reading() as session:
        doors = select(Door).where(Door.id.in_([one.door for one in ringing]))
        names = {door.id: door.name for door in session.scalars(doors)}
    return [
        ShownCall(
            one.call, one.door, names.get(one.door, ""), estate.calls.rung_s(one), one.picture
        )
        for one in ringing
    ]


def still_of(estate: Estate, call: str) -> Response:
    """Answer with a call's newest picture, for nobody to keep.

    Raises:
        NotFound: `still-unknown`.
    """
    ringing = estate.calls.find(call)
    if ringing is None or not ringing.still:
        raise NotFound("there is no picture", code="still-unknown")
    return Response(ringing.still, media_type="image/jpeg", headers={"cache-control": "no-store"})


def answer_by_opening(
    estate: Estate, call: str, wish: Wish, staff: SignedIn, password: str, address: str
) -> str:
    """Answer a call by opening; return the entry.

    Raises:
        InputRefused, TooManyAttempts: whoever asks has not proven again who they are.
        Conflict: `call-over`, `call-taken`: not opened; others as of `order_opening`.
    """
    prove_again(estate.reading, estate.backoff, staff, password, address)
    return order_opening(estate, _find(estate, call).door, wish, staff.staff, call)


def answer_by_refusal(estate: Estate, call: str, wish: Wish, staff: SignedIn) -> None:
    """Answer a call by a refusal, with a record before and after.

    Raises:
        Conflict: `call-over`, `call-taken`; `refusal-unheard`: the door did not answer.
    """
    link = estate.doors.link(_find(estate, call).door)
    if link is None:
        raise Conflict("nobody rings any more", code="call-over")
    entry = new_id()
    with estate.changer.change() as change:
        note_order(change, link.peer, staff.staff, wish, entry=entry, call=call, refused=True)
    outcome = ask_refusal(link, CallRefused(call, entry, staff.staff, wish.reason))
    with estate.changer.change() as change:
        note_outcome(change, entry, outcome)
    if outcome == UNHEARD:
        raise Conflict("the door did not answer", code="refusal-unheard")
    if outcome != REFUSED:
        raise not_taken(outcome)


def _find(estate: Estate, call: str) -> Ringing:
    ringing = estate.calls.find(call)
    if ringing is None:
        raise Conflict("nobody rings any more", code="call-over")
    return ringing
