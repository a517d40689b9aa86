"""People from a file, for programs: first what would change, then exactly that."""

from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.imports.service import About, Plan
from community_server.people.routes import may_remove
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/people/imports", tags=["people"])

Reader = Annotated[SignedIn, reader(Permission.MANAGE_PEOPLE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]


class ShownChange(BaseModel):
    """One field, before and after."""

    field: str
    before: str
    after: str


class ShownStep(BaseModel):
    """What would become of one person; `line` is 0 for somebody who is in no row.

    `company` is the name of the one that a service worker comes for, empty for residents.
    """

    kind: str
    line: int
    person: str
    name: str = Field(repr=False)
    unit: str
    company: str
    changes: list[ShownChange]


class ShownFault(BaseModel):
    """What is wrong with a row."""

    line: int
    field: str
    code: str
    written: str


class ShownPlan(BaseModel):
    """What a file would change. It can be applied once it has no faults."""

    id: str
    steps: list[ShownStep]
    faults: list[ShownFault]
    ignored: list[str]


class Applied(BaseModel):
    """The ids of those who are new."""

    added: list[str]


Upload = Annotated[UploadFile, File()]


@router.post("", status_code=201)
def read_file(
    file: Upload,
    estate: EstateDep,
    staff: Writer,
    remove_missing: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query's word
    about: Annotated[About, Query()] = "residents",
) -> ShownPlan:
    """Read a CSV or XLSX file and say what it would change; nothing is changed."""
    data = file.file.read()
    number, plan = make_plan(estate, data, staff.staff, remove_missing=remove_missing, about=about)
    return _shown(number, plan)


@router.get("/{number}")
def show_plan(number: str, estate: EstateDep, staff: Reader) -> ShownPlan:
    """Show again what a file would change."""
    return _shown(number, estate.imports.find(number, staff.staff))


@router.post("/{number}/apply")
def apply_file(number: str, estate: EstateDep, staff: Writer) -> Applied:
    """Change exactly what was shown, all or nothing."""
    return Applied(added=apply_plan(estate, number, staff))


@router.delete("/{number}", status_code=204)
def forget_file(number: str, estate: EstateDep, staff: Writer) -> None:
    """Forget what a file says."""
    estate.imports.find(number, staff.staff)
    estate.imports.forget(number)


def make_plan(
    estate: Estate, data: bytes, staff: str, *, remove_missing: bool, about: About = "residents"
) -> tuple[str, Plan]:
    """Read a file and keep what it would change; return that and its id."""
    with estate.reading() as session:
        plan = estate.importer.plan(session, data, remove_missing=remove_missing, about=about)
    return estate.imports.keep(plan, staff), plan


def apply_plan(estate: Estate, number: str, staff: SignedIn) -> list[str]:
    """Change what was shown, and note who did; return the ids of those who are new.

    Raises:
        NotPermitted, SignInRefused: people would be removed; see `may_remove`.
        NotFound: `import-unknown`.
        Conflict: `import-stale`, `import-faulty`.
    """
    plan = estate.imports.find(number, staff.staff)
    if plan.count("removed"):
        may_remove(staff)
    with estate.changer.change() as change:
        added = estate.importer.apply(change, plan, staff.staff)
    estate.imports.forget(number)
    return added


def _shown(number: str, plan: Plan) -> ShownPlan:
    return ShownPlan(
        id=number,
        steps=[
            ShownStep(
                kind=step.kind,
                line=step.line,
                person=step.person,
                name=step.name,
                unit=step.unit,
                company=step.company,
                changes=[
                    ShownChange(field=one.column, before=one.before, after=one.after)
                    for one in step.changes
                ],
            )
            for step in plan.steps
        ],
        faults=[
            ShownFault(line=one.line, field=one.column, code=one.code, written=one.written)
            for one in plan.faults
        ],
        ignored=list(plan.reading.ignored),
    )
