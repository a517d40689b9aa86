"""People from a file: chosen, looked at, applied."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import NotFound, ServerError
from community_server.estate import Estate
from community_server.imports.routes import Upload, apply_plan, make_plan
from community_server.imports.service import About, Plan
from community_server.imports.sheets import MAX_ROWS
from community_server.imports.template import write_template
from community_server.pages import language_of
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/import")

Reader = Annotated[SignedIn, reader(Permission.MANAGE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]

MOST_SHOWN: Final = 500
"""Rows of a preview that are drawn; the rest is counted."""


@router.get("")
def ask_file(
    request: Request, estate: EstateDep, staff: Reader, about: About = "residents"
) -> Response:
    """Ask for a file."""
    return _page(request, estate, staff, about)


@router.get("/template")
def give_template(request: Request, staff: Reader, about: About = "residents") -> Response:
    """Give the file to begin with."""
    del staff
    return Response(
        write_template(language_of(request), about),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{about}.csv"'},
    )


@router.post("")
def read_file(
    request: Request,
    file: Upload,
    estate: EstateDep,
    staff: Writer,
    removing: Text = "",
    about: Annotated[About, Form()] = "residents",
) -> Response:
    """Read a file, and show what it would change."""
    try:
        number, plan = make_plan(
            estate,
            file.file.read(),
            staff.staff,
            remove_missing=removing == "yes",
            about=about,
        )
    except ServerError as refusal:
        return _page(request, estate, staff, about, refusal=refusal)
    return _page(request, estate, staff, about, number=number, plan=plan)


@router.post("/{number}")
def apply_file(request: Request, number: str, estate: EstateDep, staff: Writer) -> Response:
    """Change exactly what was shown."""
    about = estate.imports.find(number, staff.staff).about
    try:
        added = apply_plan(estate, number, staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return _page(request, estate, staff, about, refusal=refusal)
    if about == "workers":
        return go_to("/services/companies?done=imported")
    return go_to("/people?lack=any&done=imported" if added else "/people?done=imported")


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    about: About,
    *,
    number: str = "",
    plan: Plan | None = None,
    refusal: ServerError | None = None,
) -> Response:
    steps = [step for step in plan.steps if step.kind != "unchanged"] if plan else []
    return desk_page(
        request,
        estate,
        staff,
        "import.html.jinja",
        room="services" if about == "workers" else "people",
        here="/import?about=workers" if about == "workers" else "/import",
        refusal=refusal,
        about=about,
        number=number,
        plan=plan,
        steps=steps[:MOST_SHOWN],
        faults=plan.faults[:MOST_SHOWN] if plan else (),
        beyond=max(0, len(steps) - MOST_SHOWN),
        most=MAX_ROWS,
    )
