"""The community's short-lived keys, and retiring one that may have leaked."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, desk_page, form_writer
from community_server.desk import EstateDep, reader
from community_server.entries.request import read_moment
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.keys.retiring import USES, Retired
from community_server.keys.routes import look, perform, retired_file
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/keys")

Reader = Annotated[SignedIn, reader(Permission.PAIR)]
Writer = Annotated[SignedIn, form_writer(Permission.PAIR, proven=True)]

SHOWN: Final = 50
"""People whose passes do not hold any more, by name; the rest is counted."""


@router.get("")
def show_keys(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show which keys count, and the forms that retire them."""
    return _page(request, estate, staff)


@router.get("/retired")
def send_retired(estate: EstateDep, staff: Reader) -> Response:
    """Send the signed list of retired receipt keys."""
    del staff
    return retired_file(estate)


@router.post("/{use}")
def retire_keys(
    request: Request, use: str, estate: EstateDep, staff: Writer, since: Text = ""
) -> Response:
    """Retire all keys of one use, and say whose passes went with them."""
    try:
        moment = read_moment(ZoneInfo(estate.settings.time_zone), since, "since")
        retired = perform(estate, use, moment, staff.staff)
    except InputRefused as refusal:
        return _page(request, estate, staff, refusal=refusal)
    return _page(request, estate, staff, retired=retired)


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    refusal: ServerError | None = None,
    retired: Retired | None = None,
) -> Response:
    people = retired.people if retired else []
    return desk_page(
        request,
        estate,
        staff,
        "keys.html.jinja",
        room="backups",
        here="/keys",
        refusal=refusal,
        keys=look(estate),
        uses=USES,
        retired=retired,
        people=[(person, estate.name_of(person)) for person in people[:SHOWN]],
        more=max(0, len(people) - SHOWN),
    )
