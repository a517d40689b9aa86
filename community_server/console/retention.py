"""For how long each kind of data is kept: seen, and set once it is certain who sits there."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.console.alarm_rules import FieldsDep
from community_server.console.frame import desk_page, form_writer, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.retention.schedule import Kind
from community_server.retention.service import change_schedule, schedule_of
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/officer/retention")

Reader = Annotated[SignedIn, reader(Permission.KEEP_PRIVACY)]
Writer = Annotated[SignedIn, form_writer(Permission.KEEP_PRIVACY, proven=True)]


@router.get("")
def show_schedule(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the schedule, and what came of it."""
    return _page(request, estate, staff)


@router.post("")
def change(request: Request, estate: EstateDep, staff: Writer, fields: FieldsDep) -> Response:
    """Set what has been changed, all of it or nothing."""
    try:
        change_schedule(estate, staff.staff, _wanted(fields))
    except InputRefused as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/officer/retention?done=retention-saved")


def _wanted(fields: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for kind in Kind:
        if kind in fields:
            try:
                found[kind.value] = int(fields[kind])
            except ValueError as error:
                raise InputRefused("not a number", field=kind, code="keep-wrong") from error
    return found


def _page(
    request: Request, estate: Estate, staff: SignedIn, refusal: ServerError | None = None
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "retention.html.jinja",
        room="officer",
        here="/officer/retention",
        refusal=refusal,
        schedule=schedule_of(estate).values(),
    )
