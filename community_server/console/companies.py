"""Companies: what their workers come for, where and for how long; suspended all at once."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from community_server.access.service import list_groups
from community_server.console.clock import read_field
from community_server.console.frame import Text, desk_page, form_writer, go_to, zone_of
from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused, NotFound, ServerError
from community_server.estate import Estate
from community_server.services.companies import (
    LONGEST_ALLOWED_MIN,
    LONGEST_RETENTION_DAYS,
    MAX_CONTACT,
    CompanyKind,
    CompanyWanted,
)
from community_server.services.queries import find_company, list_companies
from community_server.services.routes import (
    MAX_WHOM,
    WorkerBody,
    drop_company,
    list_workers,
    new_worker,
    save_company,
    set_suspended,
    visits_of,
    wanted_of,
)
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

_NO_GROUP: Final = 2**31 - 1
"""The largest number that a row can have, and none has."""

router = APIRouter(prefix="/services/companies")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Editor = Annotated[SignedIn, reader(Permission.MANAGE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]


@dataclass(frozen=True)
class WorkerForm:
    """Somebody who comes for a company, as the form holds them."""

    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    plate: str = field(default="", repr=False)
    visiting: str = field(default="", repr=False)
    unit: str = ""
    valid_until: str = ""


def get_worker(
    name: Text = "",
    phone: Text = "",
    plate: Text = "",
    visiting: Text = "",
    unit: Text = "",
    valid_until: Text = "",
) -> WorkerForm:
    """Return what was sent."""
    return WorkerForm(name, phone, plate, visiting, unit, valid_until)


WorkerDep = Annotated[WorkerForm, Depends(get_worker)]
NOBODY_YET = WorkerForm()


def get_company(
    name: Text = "",
    kind: Text = "",
    group: Text = "",
    allowed_min: Text = "",
    retention_days: Text = "",
    contact: Text = "",
    external_id: Text = "",
) -> CompanyWanted:
    """Return what was sent; a number that is none is out of every range."""
    return CompanyWanted(
        name.strip()[:64],
        kind,
        _number(group or "0"),
        _number(allowed_min),
        _number(retention_days),
        contact.strip(),
        external_id.strip()[:64],
    )


CompanyDep = Annotated[CompanyWanted, Depends(get_company)]


@router.get("")
def show_companies(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the companies."""
    with estate.reading() as session:
        companies = list_companies(session, estate.safe)
        groups = {one.id: one.name for one in list_groups(session)}
    return desk_page(
        request,
        estate,
        staff,
        "companies.html.jinja",
        room="services",
        here="/services/companies",
        companies=companies,
        groups=groups,
    )


@router.get("/new")
def ask_company(request: Request, estate: EstateDep, staff: Editor) -> Response:
    """Show an empty company."""
    return _page(request, estate, staff, "", CompanyWanted(""))


@router.post("/new")
def make_company(
    request: Request, estate: EstateDep, staff: Writer, wanted: CompanyDep
) -> Response:
    """Add a company."""
    try:
        company = save_company(estate, wanted, staff.staff)
    except ServerError as refusal:
        return _page(request, estate, staff, "", wanted, refusal=refusal)
    return go_to(f"/services/companies/{company}?done=company-saved")


@router.get("/{company}")
def show_company(request: Request, company: str, estate: EstateDep, staff: Reader) -> Response:
    """Show one company and its workers."""
    return _page(request, estate, staff, company)


@router.post("/{company}")
def write_company(
    request: Request, company: str, estate: EstateDep, staff: Writer, wanted: CompanyDep
) -> Response:
    """Change a company."""
    try:
        save_company(estate, wanted, staff.staff, company)
    except NotFound:
        raise
    except ServerError as refusal:
        return _page(request, estate, staff, company, wanted, refusal=refusal)
    return go_to(f"/services/companies/{company}?done=company-saved")


@router.post("/{company}/workers")
def make_worker(
    request: Request, company: str, estate: EstateDep, staff: Writer, worker: WorkerDep
) -> Response:
    """Add a worker; their own page has the invitation, the PIN, the pass and the cards."""
    try:
        person = new_worker(estate, company, _read_worker(estate, worker), staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return _page(request, estate, staff, company, worker=worker, refusal=refusal)
    return go_to(f"/people/{person}?done=worker-added")


@router.post("/{company}/suspended")
def suspend(company: str, estate: EstateDep, staff: Writer, suspended: Text = "") -> Response:
    """Close every door to a company's workers for now, or open them again."""
    wanted = suspended == "yes"
    set_suspended(estate, company, staff.staff, suspended=wanted)
    done = "company-suspended" if wanted else "company-resumed"
    return go_to(f"/services/companies/{company}?done={done}")


@router.post("/{company}/removal")
def remove(request: Request, company: str, estate: EstateDep, staff: Writer) -> Response:
    """Remove a company that nobody comes for any more."""
    try:
        drop_company(estate, company, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return _page(request, estate, staff, company, refusal=refusal)
    return go_to("/services/companies?done=company-removed")


def _number(text: str) -> int:
    """Return the number of a group; of none where it is no number, or a larger one than any."""
    fits = text.isascii() and text.isdecimal() and len(text) < len(str(_NO_GROUP))
    return int(text) if fits else _NO_GROUP


def _read_worker(estate: Estate, form: WorkerForm) -> WorkerBody:
    """Return a worker as the form describes them.

    Raises:
        InputRefused: `name-missing`, `time-unreadable`, or a field that is too long.
    """
    until = read_field(zone_of(estate), form.valid_until, "valid_until")
    given = {
        name: getattr(form, name).strip() for name in ("name", "phone", "plate", "visiting", "unit")
    }
    try:
        return WorkerBody.model_validate(given | {"valid_until": until})
    except ValidationError as error:
        about = str(error.errors()[0]["loc"][0])
        code = "name-missing" if about == "name" else None
        raise InputRefused("this cannot be used", field=about, code=code) from error


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    company: str,
    wanted: CompanyWanted | None = None,
    *,
    worker: WorkerForm = NOBODY_YET,
    refusal: ServerError | None = None,
) -> Response:
    """Answer with one company's page, or with that of a new one."""
    with estate.reading() as session:
        shown = find_company(session, estate.safe, company) if company else None
        groups = list_groups(session)
    months, visits = visits_of(estate, company) if company else ({}, {})
    return desk_page(
        request,
        estate,
        staff,
        "company.html.jinja",
        room="services",
        here=f"/services/companies/{company or 'new'}",
        refusal=refusal,
        company=shown,
        wanted=wanted or (wanted_of(shown) if shown else CompanyWanted("")),
        workers=list_workers(estate, company) if company else [],
        months=months,
        visits=visits,
        worker=worker,
        groups=groups,
        kinds=list(CompanyKind),
        longest=LONGEST_ALLOWED_MIN,
        longest_kept=LONGEST_RETENTION_DAYS,
        longest_contact=MAX_CONTACT,
        longest_whom=MAX_WHOM,
    )
