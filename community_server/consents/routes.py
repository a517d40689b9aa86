"""Consents, for programs and for the desk's pages."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.consents.queries import ShownConsent, list_consents
from community_server.consents.withdrawal import Instead, withdraw_face
from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.people.queries import get_person
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/people/{person}", tags=["consents"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Withdrawer = Annotated[SignedIn, writer(Permission.REMOVE_PEOPLE)]


class ListedConsent(BaseModel):
    """One consent; `withdrawn_at` is 0 while it stands.

    `given_by` is the `person` or, of somebody under 14, a `guardian`, with their name.
    """

    consent: str
    version: str
    language: str
    sha256: str
    given_at: int
    origin: str
    sealed_by: str
    enrollment: str
    withdrawn_at: int
    withdrawn_how: str
    given_by: str
    guardian: str = Field(repr=False)


class FaceWithdrawn(BaseModel):
    """What opens the doors instead, shown this once; empty where something else does already.

    `qr_pass` is the fragment of the link that shows a pass.
    """

    pin: str = Field(repr=False)
    unit: str
    qr_pass: str = Field(repr=False)


@router.get("/consents")
def show_consents(person: str, estate: EstateDep, staff: Reader) -> list[ListedConsent]:
    """List what somebody has agreed to and how it was given, the newest first."""
    del staff
    return [ListedConsent.model_validate(asdict(one)) for one in consents_of(estate, person)]


@router.delete("/face")
def delete_face(person: str, estate: EstateDep, staff: Withdrawer) -> FaceWithdrawn:
    """Withdraw somebody's consent at their word: their face goes, a PIN takes its place."""
    instead = withdraw(estate, person, staff.staff)
    qr_pass = instead.given.fragment if instead.given else ""
    return FaceWithdrawn(pin=instead.pin, unit=instead.unit, qr_pass=qr_pass)


def consents_of(estate: Estate, person: str) -> list[ShownConsent]:
    """Return somebody's consents, the newest first.

    Raises:
        NotFound: `person-unknown`.
    """
    with estate.reading() as session:
        get_person(session, person)
        return list_consents(session, estate.safe, person)


def withdraw(estate: Estate, person: str, staff: str) -> Instead:
    """Withdraw somebody's consent at the desk, and note who did."""
    with estate.changer.change() as change:
        instead = withdraw_face(change, estate.links, person, "desk")
        audit(change.session, staff, "withdraw-face", person, "desk")
    return instead
