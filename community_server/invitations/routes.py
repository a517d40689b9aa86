"""Invitations, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, WriterDep
from community_server.estate import Estate
from community_server.invitations.service import Invited, invite
from community_server.staff.audit import audit

router = APIRouter(prefix="/api/v1/invitations", tags=["invitations"])

Seconds = Annotated[int, Field(ge=0, le=2**40)]


class InvitationRequest(BaseModel):
    """Whom to invite. Times are Unix seconds, 0 is open; no doors mean every door."""

    kind: Literal["resident", "visitor"]
    name: Annotated[str, Field(max_length=64)] = ""
    unit: Annotated[str, Field(max_length=64)] = ""
    valid_from: Seconds = 0
    valid_until: Seconds = 0
    doors: Annotated[list[str], Field(max_length=1000)] = []


class InvitationMade(BaseModel):
    """The invitation; its link is shown this once."""

    invitation: str
    person: str
    link: str
    expires_at: int


@router.post("", status_code=201)
def make_invitation(body: InvitationRequest, estate: EstateDep, staff: WriterDep) -> InvitationMade:
    """Invite a resident or a visitor."""
    invited = perform(estate, body, staff.staff)
    return InvitationMade(
        invitation=invited.invitation,
        person=invited.person,
        link=invited.link,
        expires_at=invited.expires_at,
    )


def perform(estate: Estate, body: InvitationRequest, staff: str) -> Invited:
    """Invite, and note who did."""
    with estate.changer.change() as change:
        invited = invite(
            change,
            estate.links,
            kind=body.kind,
            name=body.name.strip(),
            unit=body.unit.strip(),
            valid_from=body.valid_from,
            valid_until=body.valid_until,
            doors=body.doors,
            days=estate.settings.invitation_days,
        )
        audit(change.session, staff, "invite", invited.person, body.kind)
    return invited
