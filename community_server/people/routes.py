"""People, for programs."""

from collections.abc import Collection
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.access.membership import groups_of_people, put_into_groups
from community_server.audit.log import audit
from community_server.cards.queries import count_cards
from community_server.desk import EstateDep, RowNumber, reader, writer
from community_server.erasure import remove_person
from community_server.errors import NotFound
from community_server.estate import Estate
from community_server.households.leaving import move_out
from community_server.households.queries import NOWHERE, residences
from community_server.households.service import Home, move_in
from community_server.intake.approvals import people_waiting
from community_server.invitations.queries import ends_of_invitations
from community_server.passes.queries import ends_of_passes
from community_server.passes.service import shorten_pass
from community_server.people.particulars import Known, open_known
from community_server.people.queries import Face, faces_of_people, get_person, list_people
from community_server.people.service import (
    describe_person,
    issue_pin,
    limit_person,
    suspend_person,
)
from community_server.people.tables import Person
from community_server.services.queries import NO_EMPLOYER, Employer, employers
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.visits.queries import follow_visitor
from tier_link.estate_messages import MOST_GROUPS_EACH

router = APIRouter(prefix="/api/v1/people", tags=["people"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]
Remover = Annotated[SignedIn, writer(Permission.REMOVE_PEOPLE, proven=True)]
Seconds = Annotated[int, Field(ge=0, le=2**40)]


class PinIssued(BaseModel):
    """A PIN, shown this once, and the unit that is entered with it."""

    pin: str = Field(repr=False)
    unit: str


class PersonChange(BaseModel):
    """What to change; what is left out stays.

    `unit` is where somebody lives from now on, which ends the PIN that they had with another one.
    Without `groups` of their own, the estate's default group is theirs.
    """

    suspended: bool | None = None
    valid_from: Seconds | None = None
    valid_until: Seconds | None = None
    unit: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    groups: Annotated[list[RowNumber], Field(max_length=MOST_GROUPS_EACH)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, repr=False
    )
    phone: Annotated[str, Field(max_length=32)] | None = Field(default=None, repr=False)
    email: Annotated[str, Field(max_length=254)] | None = Field(default=None, repr=False)


class MoveOut(BaseModel):
    """When somebody moves out (0: not after all), and whether they are erased then."""

    at: Seconds
    erased: bool = False


_NO_FACE: Final = Face(since=0, photos=0, usable=False)


class ListedPerson(BaseModel):
    """One person.

    `face_photos` is how many photos the face rests on (0: no face, or not noted), `face_since`
    when it was accepted; `face_outdated` says that it was made by another model than the doors
    have now, which cannot use it, `face_fading` that doors recognise it less and less.
    `invited_until` is the end of an open link, which may be over, 0 when there is none. `waiting`
    says that an enrollment waits for the desk. `pass_until` is 0 for a pass without an end.
    `household` is empty for whoever lives nowhere here; `moves_out` 0 where that is not planned.
    `groups` are theirs alone: without any, or doors of their own, the default group counts.
    `company` is the one that a service worker comes for, empty for everybody else; while it is
    suspended (`company_suspended`) its workers are, whatever their own `suspended` says.
    """

    person: str
    name: str = Field(repr=False)
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
    household: str
    moves_out: int
    erased_then: bool
    groups: list[int]
    external_id: str
    company: str
    company_name: str
    company_suspended: bool


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
    """Suspend somebody or let them in again; say when they may come, where they live, who."""
    alter(estate, person, body, staff.staff)


@router.put("/{person}/move-out", status_code=204)
def plan_move(person: str, body: MoveOut, estate: EstateDep, staff: Writer) -> None:
    """Say when somebody moves out: their doors close at that moment; a time past is now."""
    if body.erased:
        may_remove(staff)
    let_go(estate, person, body, staff.staff)


@router.delete("/{person}", status_code=204)
def delete_person(person: str, estate: EstateDep, staff: Remover) -> None:
    """Remove somebody from the server and every door."""
    remove(estate, person, staff.staff)


def listing(estate: Estate, only: Collection[str] | None = None) -> list[ListedPerson]:
    """Return everybody as lists show them, or those of some people who are known."""
    with estate.reading() as session:
        people = list_people(session, only)
        faces = faces_of_people(session, estate.pack.template_space, only)
        ends = ends_of_invitations(session, only)
        waiting = people_waiting(session, only)
        passes, cards = ends_of_passes(session, only), count_cards(session, only)
        fading = set(estate.fading.people(session))
        homes, groups = residences(session, only), groups_of_people(session, only)
        companies = employers(session, only)
        return [
            ListedPerson(
                person=row.id,
                name=estate.name_of(row.id),
                unit=row.unit,
                category=row.category,
                state=_state_of(row, employer := companies.get(row.id, NO_EMPLOYER)),
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
                household=(home := homes.get(row.id, NOWHERE)).household,
                moves_out=home.moves_out,
                erased_then=home.erased,
                groups=sorted(groups.get(row.id, ())),
                external_id=row.external_id or "",
                company=employer.company,
                company_name=employer.name,
                company_suspended=employer.suspended,
            )
            for row in people
        ]


def _state_of(row: Person, employer: Employer) -> str:
    return "suspended" if row.suspended or employer.suspended else row.state


def may_remove(staff: SignedIn) -> None:
    """Let through whoever may remove people, and has shown a moment ago that it is them.

    Raises:
        NotPermitted: they may not.
        SignInRefused: `proof-needed`.
    """
    staff.need(Permission.REMOVE_PEOPLE).need_proof()


def listed(estate: Estate, person: str) -> ListedPerson:
    """Return one person as lists show them.

    Raises:
        NotFound: `person-unknown`.
    """
    found = listing(estate, [person])
    if not found:
        raise NotFound("nobody has this id", code="person-unknown")
    return found[0]


def details(estate: Estate, person: str) -> Known:
    """Return what is known of a person.

    Raises:
        NotFound: `person-unknown`.
    """
    with estate.reading() as session:
        return open_known(session, estate.safe, get_person(session, person))


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
        if body.valid_until is not None or body.valid_from is not None:
            row = get_person(change.session, person, lock=True)
            until = row.valid_until if body.valid_until is None else body.valid_until
            limit_person(change, person, until, body.valid_from)
            shorten_pass(change, person, until)
            follow_visitor(change.session, row)
            audit(change.session, staff, "limit", person, str(until))
        if body.unit is not None:
            move_in(change, get_person(change.session, person, lock=True), Home.of(body.unit))
            audit(change.session, staff, "move-in", person)
        if body.groups is not None:
            get_person(change.session, person, lock=True)
            put_into_groups(change, person, body.groups)
            audit(change.session, staff, "regroup", person, ",".join(map(str, body.groups)))
        given = {field: getattr(body, field) for field in ("name", "phone", "email")}
        given = {field: text.strip() for field, text in given.items() if text is not None}
        if given:
            row = get_person(change.session, person, lock=True)
            known = open_known(change.session, change.safe, row)
            describe_person(change, row, msgspec.structs.replace(known, **given))
            audit(change.session, staff, "describe", person, ",".join(given))


def let_go(estate: Estate, person: str, body: MoveOut, staff: str) -> bool:
    """Let somebody move out, and note who did; return whether they are gone already."""
    with estate.changer.change() as change:
        audit(change.session, staff, "move-out", person, str(body.at))
        return move_out(change, estate.links, person, body.at, erased=body.erased)


def remove(estate: Estate, person: str, staff: str) -> None:
    """Remove a person, and note who did."""
    with estate.changer.change() as change:
        remove_person(change, estate.links, person)
        audit(change.session, staff, "remove", person)
