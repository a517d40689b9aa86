"""Passes, for programs."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.desk import EstateDep, own_address, writer
from community_server.errors import Conflict
from community_server.estate import Estate
from community_server.invitations.service import usual_place
from community_server.passes.service import GivenPass, give_pass, take_pass_back
from community_server.people.queries import get_person
from community_server.settings import Settings
from community_server.setup.community import get_community
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_link.passes import MOST_USES

router = APIRouter(prefix="/api/v1/people", tags=["passes"])

Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]


class PassRequest(BaseModel):
    """A pass to be given; what is left out follows from the person's stay."""

    valid_until: Annotated[int, Field(ge=0, le=2**40)] = 0
    uses: Annotated[int, Field(ge=0, le=MOST_USES)] = 0
    doors: Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=100)] = []


class PassGiven(BaseModel):
    """A pass, shown this once.

    `text` is what its QR code says, empty for a resident's, which changes every 30 seconds.
    `link` shows it on a phone, at the cloud, without one on the estate's own network; empty where
    this server serves no forms either. `ends` 0 is open, `uses` 0 any number at each door.
    """

    pass_id: str
    begins: int
    ends: int
    uses: int
    text: str = Field(repr=False)
    link: str = Field(repr=False)


@router.post("/{person}/pass", status_code=201)
def make_pass(
    person: str, body: PassRequest, request: Request, estate: EstateDep, staff: Writer
) -> PassGiven:
    """Give somebody a QR pass in place of any earlier one."""
    given, link = new_pass(estate, person, body, staff.staff, own_address(request))
    return PassGiven(
        pass_id=given.pass_id,
        begins=given.begins,
        ends=given.ends,
        uses=given.uses,
        text=given.text,
        link=link,
    )


@router.delete("/{person}/pass", status_code=204)
def delete_pass(person: str, estate: EstateDep, staff: Writer) -> None:
    """Take somebody's pass back; doors refuse it once they have heard."""
    remove_pass(estate, person, staff.staff)


def new_pass(
    estate: Estate, person: str, body: PassRequest, staff: str, address: str
) -> tuple[GivenPass, str]:
    """Give a pass, and note who did; return it and the link that shows it, if there is one.

    `address` is this server's, where the page is without a cloud.

    Raises:
        Conflict: `cloud-not-paired`, a resident's phone needs a page; and as `give_pass`.
    """
    with estate.changer.change() as change:
        page = pass_page(change.session, estate.settings, address)
        if not page and get_person(change.session, person).category == "resident":
            # Its phone needs the page that shows it; every other pass can be printed.
            raise Conflict("pair this server with a cloud first", code="cloud-not-paired")
        given = give_pass(
            change, person, valid_until=body.valid_until, uses=body.uses, doors=body.doors
        )
        audit(change.session, staff, "give-pass", person)
    return given, f"{page}#{given.fragment}" if page else ""


def pass_page(session: Session, settings: Settings, address: str) -> str:
    """Return the address of the page that shows passes: the cloud's or ours, empty for none."""
    here = usual_place(session, settings, address)
    base = here.address if here else get_community(session).cloud_url
    return f"{base}/pass" if base else ""


def remove_pass(estate: Estate, person: str, staff: str) -> None:
    """Take a pass back, and note who did."""
    with estate.changer.change() as change:
        if take_pass_back(change, person):
            audit(change.session, staff, "take-pass-back", person)
