"""Invitations, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.desk import EstateDep, own_address, writer
from community_server.errors import Conflict
from community_server.estate import Estate
from community_server.invitations.service import (
    Here,
    Invited,
    invite,
    invite_again,
    withdraw_invitation,
)
from community_server.invitations.tables import Origin
from community_server.people.particulars import Known
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.visits.by_desk import DeskVisit, invite_visitor
from tier_link.passes import MOST_USES

router = APIRouter(prefix="/api/v1", tags=["invitations"])

Inviter = Annotated[SignedIn, writer(Permission.INVITE_VISITORS)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]

Seconds = Annotated[int, Field(ge=0, le=2**40)]
Opens = Literal["cloud", "estate"]
"""Where a link opens: at the cloud, or on the estate's own network alone."""


class InvitationRequest(BaseModel):
    """Whom to invite. Times are Unix seconds, 0 is open; no doors mean every door.

    `purpose`, `plate` and `uses`, the number of entries, 0 for any, are of a visit alone.
    `origin` is where the link opens: at the cloud, or on the estate's own network alone.
    """

    kind: Literal["resident", "visitor"]
    name: Annotated[str, Field(max_length=64)] = Field(default="", repr=False)
    unit: Annotated[str, Field(max_length=64)] = ""
    purpose: Annotated[str, Field(max_length=200)] = ""
    plate: Annotated[str, Field(max_length=32)] = Field(default="", repr=False)
    valid_from: Seconds = 0
    valid_until: Seconds = 0
    doors: Annotated[list[str], Field(max_length=1000)] = []
    uses: Annotated[int, Field(ge=0, le=MOST_USES)] = 0
    origin: Opens = "cloud"


class AnotherRequest(BaseModel):
    """Where the other link opens."""

    origin: Opens = "cloud"


class InvitationMade(BaseModel):
    """The invitation; its link is shown this once."""

    invitation: str
    person: str
    link: str = Field(repr=False)
    expires_at: int


@router.post("/invitations", status_code=201)
def make_invitation(
    body: InvitationRequest, request: Request, estate: EstateDep, staff: Inviter
) -> InvitationMade:
    """Invite a visitor, or a resident, which takes more."""
    if body.kind == "resident":
        staff.need(Permission.MANAGE_PEOPLE)
    return _made(perform(estate, body, staff.staff, own_address(request)))


@router.post("/people/{person}/invitation", status_code=201)
def make_another_invitation(
    person: str,
    request: Request,
    estate: EstateDep,
    staff: Writer,
    body: AnotherRequest | None = None,
) -> InvitationMade:
    """Invite somebody known already: a link was lost, or a face is to be renewed.

    The link before it ends. Face and PIN serve until the new enrollment is accepted.
    """
    origin = body.origin if body else "cloud"
    return _made(perform_again(estate, person, staff.staff, origin, own_address(request)))


@router.delete("/people/{person}/invitation", status_code=204)
def withdraw_open_invitation(person: str, estate: EstateDep, staff: Writer) -> None:
    """Withdraw somebody's open link."""
    perform_withdrawal(estate, person, staff.staff)


def perform(estate: Estate, body: InvitationRequest, staff: str, address: str) -> Invited:
    """Invite, and note who did; `address` is this server's, as whoever asks reaches it."""
    here = _here(estate, body.origin, address)
    with estate.changer.change() as change:
        if body.kind == "visitor":
            invited = invite_visitor(change, estate.visiting, _visit(body), staff, here)
        else:
            invited = invite(
                change,
                estate.links,
                kind="resident",
                known=Known(name=body.name.strip()),
                unit=body.unit.strip(),
                valid_from=body.valid_from,
                valid_until=body.valid_until,
                doors=body.doors,
                days=estate.settings.invitation_days,
                here=here,
            )
        audit(change.session, staff, "invite", invited.person, _noted(body.kind, here))
    return invited


def _visit(body: InvitationRequest) -> DeskVisit:
    return DeskVisit(
        name=body.name.strip(),
        unit=body.unit.strip(),
        purpose=body.purpose.strip(),
        plate=body.plate.strip(),
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        doors=tuple(dict.fromkeys(body.doors)),
        uses=body.uses,
    )


def perform_again(estate: Estate, person: str, staff: str, origin: Origin, address: str) -> Invited:
    """Invite somebody anew, and note who did; `address` as in `perform`."""
    here = _here(estate, origin, address)
    with estate.changer.change() as change:
        days = estate.settings.invitation_days
        invited = invite_again(change, estate.links, person, days=days, here=here)
        action = "enroll-at-desk" if origin == "desk" else "invite-again"
        audit(change.session, staff, action, person, _noted("", here))
    return invited


def perform_withdrawal(estate: Estate, person: str, staff: str) -> None:
    """Withdraw somebody's open link, and note who did."""
    with estate.changer.change() as change:
        withdraw_invitation(change, estate.links, person)
        audit(change.session, staff, "withdraw-invitation", person)


def _here(estate: Estate, origin: Origin, address: str) -> Here | None:
    """Return at which address of this server a link opens, None where it opens at the cloud.

    Raises:
        Conflict: `own-forms-off`, the forms are not served here.
    """
    if origin == "cloud":
        return None
    if not estate.settings.own_forms:
        raise Conflict("this server serves no forms", code="own-forms-off")
    if origin == "desk":  # in the browser that the member of staff sits at
        return Here(address, at_desk=True)
    return Here(estate.settings.own_address or address)


def _noted(kind: str, here: Here | None) -> str:
    """Return what the audit log says of a link beside whom it is for."""
    return f"{kind} estate".strip() if here and not here.at_desk else kind


def _made(invited: Invited) -> InvitationMade:
    return InvitationMade(
        invitation=invited.invitation,
        person=invited.person,
        link=invited.link,
        expires_at=invited.expires_at,
    )
