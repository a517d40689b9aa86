"""Invitations, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.desk import EstateDep, writer
from community_server.estate import Estate
from community_server.invitations.service import (
    Invited,
    invite,
    invite_again,
    withdraw_invitation,
)
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["invitations"])

Inviter = Annotated[SignedIn, writer(Permission.INVITE_VISITORS)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]

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


@router.post("/invitations", status_code=201)
def make_invitation(body: InvitationRequest, estate: EstateDep, staff: Inviter) -> InvitationMade:
    """Invite a visitor, or a resident, which takes more."""
    if body.kind == "resident":
        staff.need(Permission.MANAGE_PEOPLE)
    return _made(perform(estate, body, staff.staff))


@router.post("/people/{person}/invitation", status_code=201)
def make_another_invitation(person: str, estate: EstateDep, staff: Writer) -> InvitationMade:
    """Invite somebody known already: a link was lost, or a face is to be renewed.

    The link before it ends. Face and PIN serve until the new enrollment is accepted.
    """
    return _made(perform_again(estate, person, staff.staff))


@router.delete("/people/{person}/invitation", status_code=204)
def withdraw_open_invitation(person: str, estate: EstateDep, staff: Writer) -> None:
    """Withdraw somebody's open link."""
    perform_withdrawal(estate, person, staff.staff)


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


def perform_again(estate: Estate, person: str, staff: str) -> Invited:
    """Invite somebody anew, and note who did."""
    with estate.changer.change() as change:
        days = estate.settings.invitation_days
        invited = invite_again(change, estate.links, person, days=days)
        audit(change.session, staff, "invite-again", person)
    return invited


def perform_withdrawal(estate: Estate, person: str, staff: str) -> None:
    """Withdraw somebody's open link, and note who did."""
    with estate.changer.change() as change:
        withdraw_invitation(change, estate.links, person)
        audit(change.session, staff, "withdraw-invitation", person)


def _made(invited: Invited) -> InvitationMade:
    return InvitationMade(
        invitation=invited.invitation,
        person=invited.person,
        link=invited.link,
        expires_at=invited.expires_at,
    )
