"""Approvals, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.desk import EstateDep, RowNumber, reader, writer
from community_server.estate import Estate
from community_server.intake.approvals import Decision, decide, list_waiting, show_photo
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"])

Reader = Annotated[SignedIn, reader(Permission.APPROVE)]
Writer = Annotated[SignedIn, writer(Permission.APPROVE)]


class DecisionRequest(BaseModel):
    """The desk's decision; `reason`, a code, is noted in the audit log."""

    decision: Literal["approve", "decline"]
    reason: Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,39})?$")] = ""


@router.get("")
def show_waiting(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List what waits for the desk, oldest first."""
    del staff
    with estate.reading() as session:
        waiting = list_waiting(session, estate.safe)
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "category": one.category,
            "person": one.person,
            "name": one.known.name,
            "phone": one.known.phone,
            "visiting": one.known.visiting,
            "purpose": one.known.purpose,
            "plate": one.known.plate,
            "unit": one.unit,
            "received_at": one.received_at,
            "photos": one.photos,
            "renews": one.renews,
            "held_for": one.held_for,
            "resembles": one.resembles,
            "valid_from": one.valid_from,
            "valid_until": one.valid_until,
            "guardian": one.guardian,
        }
        for one in waiting
    ]


@router.get("/{enrollment}/photos/{number}", response_class=Response)
def show_waiting_photo(
    enrollment: str, number: RowNumber, estate: EstateDep, staff: Reader
) -> Response:
    """Show one waiting photo; it is never stored by the browser."""
    del staff
    return photo_response(estate, enrollment, number)


@router.post("/{enrollment}", status_code=204)
def take_decision(enrollment: str, body: DecisionRequest, estate: EstateDep, staff: Writer) -> None:
    """Approve or decline; the photos are destroyed either way."""
    perform(estate, enrollment, body.decision, staff.staff, body.reason)


def perform(
    estate: Estate, enrollment: str, decision: Decision, staff: str, reason: str = ""
) -> bool:
    """Carry the decision out, and note whose it was and why: a code, never a name.

    Return whether the doors know the person by face from now on.
    """
    with estate.changer.change() as change:
        face = decide(change, estate.links, estate.intake.judge, enrollment, decision, staff)
        audit(change.session, staff, decision, enrollment, reason)
    return face


def photo_response(estate: Estate, enrollment: str, number: int) -> Response:
    """Open a photo in memory and answer with it."""
    with estate.reading() as session:
        photo = show_photo(session, estate.safe, enrollment, number)
    kind = "image/png" if photo.startswith(b"\x89PNG") else "image/jpeg"
    return Response(photo, media_type=kind, headers={"cache-control": "no-store"})
