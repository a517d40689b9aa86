"""Companies, their workers, and who checks in at the gate; for programs."""

from dataclasses import asdict, replace
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.desk import EstateDep, RowNumber, own_address, reader, writer
from community_server.estate import Estate
from community_server.invitations.service import VISITORS_UNIT
from community_server.passes.routes import pass_page
from community_server.people.particulars import Known, open_known
from community_server.people.queries import get_person
from community_server.people.routes import ListedPerson, listing
from community_server.services.companies import (
    LONGEST_ALLOWED_MIN,
    LONGEST_RETENTION_DAYS,
    MAX_CONTACT,
    USUAL_ALLOWED_MIN,
    USUAL_RETENTION_DAYS,
    CompanyKind,
    CompanyWanted,
    add_company,
    change_company,
    remove_company,
    suspend_company,
)
from community_server.services.figures import Visits, by_month, by_worker
from community_server.services.inside import Inside, add_departure, list_inside
from community_server.services.overstays import follow_overstays
from community_server.services.queries import (
    ListedCompany,
    find_company,
    get_company,
    list_companies,
    workers_of,
)
from community_server.services.stays import settle
from community_server.services.workers import CheckedIn, CheckIn, add_worker, check_in
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["service workers"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]
Guard = Annotated[SignedIn, writer(Permission.INVITE_VISITORS)]

MAX_WHOM: Final = 200
"""Characters that say for whom somebody comes: several units."""
Seconds = Annotated[int, Field(ge=0, le=2**40)]
Name = Annotated[str, Field(max_length=64)]
Allowed = Annotated[int, Field(ge=1, le=LONGEST_ALLOWED_MIN)]
Retention = Annotated[int, Field(ge=0, le=LONGEST_RETENTION_DAYS)]
Contact = Annotated[str, Field(max_length=MAX_CONTACT)]
Doors = Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=100)]


class CompanyBody(BaseModel):
    """A company; `group` 0 leaves its workers to the estate's default access group."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    kind: CompanyKind = CompanyKind.COURIER
    group: RowNumber = 0
    allowed_min: Allowed = USUAL_ALLOWED_MIN
    retention_days: Retention = USUAL_RETENTION_DAYS
    contact: Contact = ""
    external_id: Name = ""


class CompanyChange(BaseModel):
    """What to change; what is left out stays."""

    suspended: bool | None = None
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    kind: CompanyKind | None = None
    group: RowNumber | None = None
    allowed_min: Allowed | None = None
    retention_days: Retention | None = None
    contact: Contact | None = None
    external_id: Name | None = None


class CompanyMade(BaseModel):
    """A company's id."""

    company: str


class WorkerBody(BaseModel):
    """Somebody who comes for a company; times are Unix seconds, 0 is open.

    `visiting` says for whom, in words; `unit` is what is entered with a PIN, empty for `0`.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)] = Field(repr=False)
    phone: Annotated[str, Field(max_length=32)] = Field(default="", repr=False)
    plate: Annotated[str, Field(max_length=32)] = Field(default="", repr=False)
    visiting: Annotated[str, Field(max_length=MAX_WHOM)] = ""
    unit: Name = ""
    valid_from: Seconds = 0
    valid_until: Seconds = 0


class WorkerMade(BaseModel):
    """A worker's id; they have nothing yet that opens a door."""

    person: str


class CheckInBody(BaseModel):
    """Somebody at the gate: `company` is an id, or `new_company` a name and `kind` what it is.

    Without `doors` the company's access group says where they may go.
    """

    company: Name = ""
    new_company: Name = ""
    kind: CompanyKind = CompanyKind.COURIER
    name: Name = Field(default="", repr=False)
    phone: Annotated[str, Field(max_length=32)] = Field(default="", repr=False)
    plate: Annotated[str, Field(max_length=32)] = Field(default="", repr=False)
    unit: Name = ""
    doors: Doors = []


class CheckInMade(BaseModel):
    """Who was checked in, and their pass, shown this once; `text` is what its QR code says."""

    person: str
    company: str
    pass_id: str
    begins: int
    ends: int
    uses: int
    text: str = Field(repr=False)
    link: str = Field(repr=False)


@router.get("/companies")
def show_companies(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List the companies, by name."""
    del staff
    with estate.reading() as session:
        return [asdict(one) for one in list_companies(session, estate.safe)]


@router.post("/companies", status_code=201)
def make_company(body: CompanyBody, estate: EstateDep, staff: Writer) -> CompanyMade:
    """Add a company."""
    wanted = CompanyWanted(**body.model_dump())
    return CompanyMade(company=save_company(estate, wanted, staff.staff))


@router.get("/companies/{company}")
def show_company(company: str, estate: EstateDep, staff: Reader) -> dict[str, object]:
    """Show one company."""
    del staff
    with estate.reading() as session:
        return asdict(find_company(session, estate.safe, company))


@router.patch("/companies/{company}", status_code=204)
def alter_company(company: str, body: CompanyChange, estate: EstateDep, staff: Writer) -> None:
    """Change a company; suspend all its workers, or let them in again."""
    with estate.changer.change() as change:
        before = wanted_of(find_company(change.session, estate.safe, company))
        given = body.model_dump(exclude={"suspended"}, exclude_none=True)
        if given:
            change_company(change, company, replace(before, **given))
            audit(change.session, staff.staff, "change-company", company)
        if body.suspended is not None:
            _suspend(change, company, staff.staff, suspended=body.suspended)


@router.delete("/companies/{company}", status_code=204)
def delete_company(company: str, estate: EstateDep, staff: Writer) -> None:
    """Remove a company that nobody comes for any more."""
    drop_company(estate, company, staff.staff)


@router.get("/companies/{company}/workers")
def show_workers(company: str, estate: EstateDep, staff: Reader) -> list[ListedPerson]:
    """List who comes for a company."""
    del staff
    return list_workers(estate, company)


@router.get("/companies/{company}/visits")
def show_visits(company: str, estate: EstateDep, staff: Reader) -> dict[str, dict[str, object]]:
    """Sum up how often a company's workers came and for how long, by month and by worker.

    `seen` are visits whose end was seen: `minutes` and `median` are of these alone; `estimated` are
    minutes of the others. Months outlive the workers.
    """
    del staff
    months, workers = visits_of(estate, company)
    return {
        "months": {month: asdict(visits) for month, visits in months.items()},
        "workers": {person: asdict(visits) for person, visits in workers.items()},
    }


@router.get("/inside")
def show_inside(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List the service workers who are inside now, those first who are for the longest.

    With `estimated` nobody would see them leave: they are taken to have left at `leaves`.
    """
    del staff
    return [asdict(one) for one in who_is_inside(estate)]


@router.post("/inside/{person}/left", status_code=204)
def say_left(person: str, estate: EstateDep, staff: Guard) -> None:
    """Say that somebody has left whom no reader has seen leave."""
    note_left(estate, person, staff.staff)


@router.post("/companies/{company}/workers", status_code=201)
def make_worker(company: str, body: WorkerBody, estate: EstateDep, staff: Writer) -> WorkerMade:
    """Add a worker, who is then invited, or given a PIN, a pass or a card, like anybody."""
    return WorkerMade(person=new_worker(estate, company, body, staff.staff))


@router.post("/check-ins", status_code=201)
def make_check_in(
    body: CheckInBody, request: Request, estate: EstateDep, staff: Guard
) -> CheckInMade:
    """Let somebody in who has never been here, by a pass for the company's allowed stay."""
    wanted = CheckIn(**body.model_dump() | {"doors": frozenset(body.doors)})
    made, link = new_check_in(estate, wanted, staff.staff, own_address(request))
    given = made.given
    return CheckInMade(
        person=made.person,
        company=made.company,
        pass_id=given.pass_id,
        begins=given.begins,
        ends=given.ends,
        uses=given.uses,
        text=given.text,
        link=link,
    )


def wanted_of(shown: ListedCompany) -> CompanyWanted:
    """Return a company as somebody would write it anew."""
    names = CompanyWanted.__dataclass_fields__
    return CompanyWanted(**{name: getattr(shown, name) for name in names})


def list_workers(estate: Estate, company: str) -> list[ListedPerson]:
    """Return who comes for a company, as lists show them.

    Raises:
        NotFound: `company-unknown`.
    """
    with estate.reading() as session:
        found = find_company(session, estate.safe, company)
        workers = workers_of(session, found.company)
    return listing(estate, workers)


def who_is_inside(estate: Estate) -> list[Inside]:
    """Return the service workers who are inside now, and for whom."""
    with estate.reading() as session:
        return [
            replace(one, whom=_whom(estate, session, one)) for one in list_inside(session, now())
        ]


def note_left(estate: Estate, person: str, staff: str) -> None:
    """Note that somebody has left, and who said so; an alarm about them is over.

    Raises:
        Conflict: `not-inside`.
    """
    zone = ZoneInfo(estate.settings.time_zone)
    with estate.changer.change() as change:
        settle(change.session, person, add_departure(change, person, staff), zone)
        follow_overstays(change.session, now())
        audit(change.session, staff, "say-left", person)


def visits_of(estate: Estate, company: str) -> tuple[dict[str, Visits], dict[str, Visits]]:
    """Return a company's visits by month, and by worker of those who are here.

    Raises:
        NotFound: `company-unknown`.
    """
    with estate.reading() as session:
        row = get_company(session, company)
        zone = ZoneInfo(estate.settings.time_zone)
        return by_month(session, row), by_worker(session, row, zone)


def save_company(estate: Estate, wanted: CompanyWanted, staff: str, company: str = "") -> str:
    """Add a company, or change one, and note who did; return its id."""
    with estate.changer.change() as change:
        if company:
            change_company(change, company, wanted)
            audit(change.session, staff, "change-company", company)
            return company
        company = add_company(change, wanted)
        audit(change.session, staff, "add-company", company)
    return company


def set_suspended(estate: Estate, company: str, staff: str, *, suspended: bool) -> None:
    """Suspend a company or let it in again, and note who did."""
    with estate.changer.change() as change:
        _suspend(change, company, staff, suspended=suspended)


def drop_company(estate: Estate, company: str, staff: str) -> None:
    """Remove a company, and note who did."""
    with estate.changer.change() as change:
        remove_company(change, company)
        audit(change.session, staff, "remove-company", company)


def new_worker(estate: Estate, company: str, body: WorkerBody, staff: str) -> str:
    """Add a worker, and note who did; return their id."""
    known = Known(
        name=body.name.strip(),
        phone=body.phone.strip(),
        plate=body.plate.strip(),
        visiting=body.visiting.strip(),
    )
    with estate.changer.change() as change:
        person = add_worker(
            change,
            company,
            known,
            unit=body.unit.strip(),
            valid_from=body.valid_from,
            valid_until=body.valid_until,
        )
        audit(change.session, staff, "add-worker", person, company)
    return person


def new_check_in(
    estate: Estate, wanted: CheckIn, staff: str, address: str
) -> tuple[CheckedIn, str]:
    """Check somebody in, and note who did; return their pass and the link that shows it, if any."""
    with estate.changer.change() as change:
        made = check_in(change, wanted)
        audit(change.session, staff, "check-in", made.person, made.company)
        page = pass_page(change.session, estate.settings, address)
    return made, f"{page}#{made.given.fragment}" if page else ""


def _whom(estate: Estate, session: Session, one: Inside) -> str:
    known = open_known(session, estate.safe, get_person(session, one.person))
    return known.visiting or ("" if one.unit == VISITORS_UNIT else one.unit)


def _suspend(change: Change, company: str, staff: str, *, suspended: bool) -> None:
    suspend_company(change, company, suspended=suspended)
    audit(change.session, staff, "suspend-company" if suspended else "resume-company", company)
