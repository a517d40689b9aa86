"""Holidays, and days that count as another weekday."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response

from community_server.access.holidays import COUNTS_AS, HOLIDAY, Day, list_holidays, read_days
from community_server.access.routes import drop_day, save_days
from community_server.console.frame import Text, clock_of, desk_page, form_writer, go_to, zone_of
from community_server.desk import EstateDep, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/holidays")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]

MOST_TEXT: Final = 20_000
"""Characters of a list that is pasted."""
LongText = Annotated[str, Form(max_length=MOST_TEXT)]


@router.get("")
def show_holidays(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the days to come."""
    return _page(request, estate, staff)


@router.post("")
def add_holidays(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    days: LongText = "",
    counts_as: Text = HOLIDAY,
) -> Response:
    """Add days from a list, one on each line."""
    try:
        read = read_days(days, counts_as if counts_as in COUNTS_AS else HOLIDAY)
        save_days(estate, read, staff.staff)
    except ServerError as refusal:
        return _page(request, estate, staff, days, counts_as, refusal)
    return go_to("/holidays?done=holidays-saved")


@router.post("/{day}/removal")
def remove_holiday(day: str, estate: EstateDep, staff: Writer) -> Response:
    """Make a day one like any other."""
    drop_day(estate, day, staff.staff)
    return go_to("/holidays?done=holiday-removed")


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    typed: str = "",
    counts_as: str = HOLIDAY,
    refusal: ServerError | None = None,
) -> Response:
    today = datetime.now(zone_of(estate)).date().isoformat()
    clock = clock_of(request, estate)
    with estate.reading() as session:
        days: list[Day] = list_holidays(session, today)
    return desk_page(
        request,
        estate,
        staff,
        "holidays.html.jinja",
        room="people",
        here="/holidays",
        refusal=refusal,
        days=[(one, clock.date(one.day)) for one in days],
        typed=typed,
        counts_as=counts_as,
        choices=COUNTS_AS,
    )
