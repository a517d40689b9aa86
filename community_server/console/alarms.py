"""Alarms as they happen, and who has seen them."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from community_server.alarms.routes import notice
from community_server.alarms.service import ShownAlarm, list_alarms
from community_server.console.frame import (
    clock_of,
    count_alarms,
    desk_page,
    form_writer,
    fragment,
    go_to,
)
from community_server.desk import EstateDep, reader
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/alarms")

Reader = Annotated[SignedIn, reader(Permission.SEE_ALARMS)]
Writer = Annotated[SignedIn, form_writer(Permission.HANDLE_ALARMS)]

SHOWN = 100
"""Alarms on the page: years at most estates, and quick on an old PC."""


@router.get("")
def show_alarms(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the newest alarms."""
    return desk_page(
        request,
        estate,
        staff,
        "alarms.html.jinja",
        room="alarms",
        here="/alarms",
        alarms=_newest(estate),
        csrf=staff.csrf,
    )


@router.get("/live")
def refresh_alarms(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the newest alarms as they are now."""
    return fragment(
        request,
        "alarms_live.html.jinja",
        alarms=_newest(estate),
        csrf=staff.csrf,
        may=staff.permissions,
        clock=clock_of(request, estate),
    )


@router.get("/badge")
def refresh_badge(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how many alarms wait for somebody."""
    del staff
    return fragment(request, "alarms_badge.html.jinja", alarms=count_alarms(estate))


@router.post("/{alarm}")
def acknowledge_alarm(alarm: str, estate: EstateDep, staff: Writer) -> Response:
    """Say that an alarm has been seen."""
    notice(estate, alarm, staff.staff)
    return go_to("/alarms?done=alarm-seen")


def _newest(estate: Estate) -> list[ShownAlarm]:
    """Return the newest alarms, those first that wait for somebody."""
    with estate.reading() as session:
        waiting = list_alarms(session, only_open=True, limit=SHOWN)
        newest = list_alarms(session, only_open=False, limit=SHOWN)
    known = {one.alarm for one in waiting}
    return (waiting + [one for one in newest if one.alarm not in known])[:SHOWN]
