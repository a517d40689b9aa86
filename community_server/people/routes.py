"""People, for programs."""

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.cards.queries import count_cards
from community_server.desk import EstateDep, reader, writer
from community_server.erasure import remove_person
from community_server.estate import Estate
from community_server.intake.approvals import people_waiting
from community_server.invitations.queries import ends_of_invitations
from community_server.passes.queries import ends_of_passes
from community_server.passes.service import shorten_pass
from community_server.people.queries import Face, faces_of_people, get_person, list_people
from community_server.people.service import issue_pin, limit_person, suspend_person
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/people", tags=["people"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]
Remover = Annotated[SignedIn, writer(Permission.REMOVE_PEOPLE, proven=True)]


class PinIssued(BaseModel):
    """A PIN, shown this once, and the unit that is entered with it."""

    pin: str
    unit: str


class PersonChange(BaseModel):
    """What to change; what is left out stays."""

    suspended: bool | None = None
    valid_until: Annotated[int, Field(ge=0, le=2**40)] | None = None


_NO_FACE: Final = Face(since=0, photos=0, usable=False)


class ListedPerson(BaseModel):
    """One person.

    `face_photos` is how many photos the face rests on (0: no face, or not noted), `face_since`
    when it was accepted; `face_outdated` says that it was made by another model than the doors
    have now, which cannot use it, `face_fading` that doors recognise it less and less.
    `invited_until` is the end of an open link, which may be over, 0 when there is none. `waiting`
    says that an enrollment waits for the desk. `pass_until` is 0 for a pass without an end.
    """

    person: str
    name: str
    unit: str
    category: str
    state: str
    suspended: bool
    has_face: bool
    face_outdated: bool
    face_photos: int
    face_since: int
    face_fading: bool
    has_pin: bool
    has_pass: bool
    cards: int
    pass_until: int
    second_credential: bool
    valid_from: int
    valid_until: int
    invited_until: int
    waiting: bool


@router.get("")
def show_people(estate: EstateDep, staff: Reader) -> list[ListedPerson]:
    """List everybody."""
    del staff
    return listing(estate)


@router.post("/{person}/pin", status_code=201)
def make_pin(person: str, estate: EstateDep, staff: Writer) -> PinIssued:
    """Issue a PIN in place of any earlier one."""
    pin, unit = new_pin(estate, person, staff.staff)
    return PinIssued(pin=pin, unit=unit)


@router.patch("/{person}", status_code=204)
def change_person(person: str, body: PersonChange, estate: EstateDep, staff: Writer) -> None:
    """Suspend somebody, let them in again, or set until when they may come."""
    alter(estate, person, body, staff.staff)


@router.delete("/{person}", status_code=204)
def delete_person(person: str, estate: EstateDep, staff: Remover) -> None:
    """Remove somebody from the server and every door."""
    remove(estate, person, staff.staff)


def listing(estate: Estate, only: str | None = None) -> list[ListedPerson]:
    """Return everybody as lists show them, or one person alone.

    Raises:
        NotFound: `person-unknown`.
    """
    with estate.reading() as session:
        people = list_people(session) if only is None else [get_person(session, only)]
        faces = faces_of_people(session, estate.pack.template_space, only)
        ends = ends_of_invitations(session, only)
        waiting = people_waiting(session, only)
        passes, cards = ends_of_passes(session, only), count_cards(session, only)
        fading = set(estate.fading.people(session))
        return [
            ListedPerson(
                person=row.id,
                name=estate.name_of(row.id),
                unit=row.unit,
                category=row.category,
                state="suspended" if row.suspended else row.state,
                suspended=row.suspended,
                has_face=(face := faces.get(row.id, _NO_FACE)).usable,
                face_outdated=row.id in faces and not face.usable,
                face_photos=face.photos,
                face_since=face.since,
                face_fading=row.id in fading,
                has_pin=bool(row.pin_hash),
                has_pass=row.id in passes,
                cards=cards.get(row.id, 0),
                pass_until=passes.get(row.id, 0),
                second_credential=row.second_credential,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                invited_until=ends.get(row.id, 0),
                waiting=row.id in waiting,
            )
            for row in people
        ]


def new_pin(estate: Estate, person: str, staff: str) -> tuple[str, str]:
    """Issue a PIN, and note who did; return it and the unit."""
    with estate.changer.change() as change:
        pin, unit = issue_pin(change, person)
        audit(change.session, staff, "issue-pin", person)
    return pin, unit


def alter(estate: Estate, person: str, body: PersonChange, staff: str) -> None:
    """Change a person, and note who did."""
    with estate.changer.change() as change:
        if body.suspended is not None:
            suspend_person(change, person, suspended=body.suspended)
            audit(change.session, staff, "suspend" if body.suspended else "resume", person)
        if body.valid_until is not None:
            limit_person(change, person, body.valid_until)
            shorten_pass(change, person, body.valid_until)
            audit(change.session, staff, "limit", person, str(body.valid_until))


def remove(estate: Estate, person: str, staff: str) -> None:
    """Remove a person, and note who did."""
    with estate.changer.change() as change:
        remove_person(change, estate.links, person)
        audit(change.session, staff, "remove", person)
