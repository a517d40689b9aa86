"""Inviting many at once, for programs."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, own_address, writer
from community_server.invitations.bulk import By, Choice, invite_chosen
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/invitations/bulk", tags=["invitations"])

Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]


class BulkRequest(BaseModel):
    """Residents without a face, of one building or all; `again` also those with an open link.

    `by` is how: `links` answers with them, `mail` and `sms` send them by the estate's gateways.
    """

    building: Annotated[str, Field(max_length=32)] = ""
    again: bool = False
    by: By = "links"


class BulkMade(BaseModel):
    """One invitation; its link is shown this once, and empty where it was sent."""

    person: str
    link: str = Field(repr=False)
    expires_at: int


class BulkAnswer(BaseModel):
    """At most 300 at once; `unreached` have no address for this way."""

    made: list[BulkMade]
    unreached: list[str]


@router.post("", status_code=201)
def invite_many(
    body: BulkRequest, request: Request, estate: EstateDep, staff: Writer
) -> BulkAnswer:
    """Invite many at once."""
    choice = Choice(body.building, body.again)
    invited = invite_chosen(estate, choice, body.by, staff.staff, own_address(request))
    return BulkAnswer(
        made=[
            BulkMade(person=one.person, link=one.link, expires_at=one.expires_at)
            for one in invited.made
        ],
        unreached=list(invited.unreached),
    )
