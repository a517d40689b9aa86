"""Alarms as they happen, who has seen them, and what was before."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from community_server.alarms.queries import AlarmFilter, ShownAlarm, list_alarms
from community_server.alarms.routes import notice
from community_server.alarms.rules import DEFAULTS
from community_server.alarms.service import MAX_NOTE
from community_server.console.frame import (
    Text,
    clock_of,
    count_alarms,
    desk_page,
    form_writer,
    fragment,
    go_to,
    list_escalated,
    zone_of,
)
from community_server.desk import EstateDep, reader
from community_server.doors.routes import listing
from community_server.errors import InputRefused, NotFound, ServerError
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/alarms")

Reader = Annotated[SignedIn, reader(Permission.SEE_ALARMS)]
Writer = Annotated[SignedIn, form_writer(Permission.HANDLE_ALARMS)]

MOST_OPEN = 100
"""Open alarms on the page: more than a guard can see to."""
AT_ONCE = 50
"""Past alarms on one page."""

Word = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True)
class PastFilter:
    """Which past alarms somebody has asked for, as the form holds it; days as `2026-11-26`."""

    kind: str = ""
    door: str = ""
    since: str = ""
    until: str = ""

    def read(self, zone: ZoneInfo, before: str) -> AlarmFilter:
        """Return what to look for; a day that cannot be read leaves nothing out."""
        return AlarmFilter(
            only_closed=True,
            kind=self.kind,
            door=self.door,
            since=_begin(self.since, zone),
            until=_begin(self.until, zone, days=1),
            before=before,
        )


@router.get("")
def show_alarms(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    kind: Word = "",
    door: Word = "",
    since: Word = "",
    until: Word = "",
    before: Word = "",
) -> Response:
    """Show the alarms that wait, then those that are over and seen."""
    shown = PastFilter(kind, door, since, until)
    with estate.reading() as session:
        wanted = shown.read(zone_of(estate), before)
        past = list_alarms(session, estate.safe, wanted, limit=AT_ONCE)
    return desk_page(
        request,
        estate,
        staff,
        "alarms.html.jinja",
        room="alarms",
        here="/alarms",
        alarms=_waiting(estate),
        past=past,
        more=past[-1].alarm if len(past) == AT_ONCE else "",
        shown=shown,
        kinds=[rule.kind for rule in DEFAULTS.values()],
        doors=listing(estate),
        csrf=staff.csrf,
    )


@router.get("/live")
def refresh_alarms(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the alarms that wait as they are now."""
    return fragment(
        request,
        "alarms_live.html.jinja",
        alarms=_waiting(estate),
        csrf=staff.csrf,
        may=staff.permissions,
        clock=clock_of(request, estate),
    )


@router.get("/badge")
def refresh_badge(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how many alarms wait for somebody."""
    del staff
    return fragment(request, "alarms_badge.html.jinja", alarms=count_alarms(estate))


@router.get("/banner")
def refresh_banner(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show on every page what nobody has taken notice of in time."""
    del staff
    return fragment(request, "alarms_banner.html.jinja", escalated=list_escalated(estate))


@router.get("/{alarm}")
def show_alarm(request: Request, alarm: str, estate: EstateDep, staff: Reader) -> Response:
    """Show one alarm, what to do about it, and the form that acknowledges it."""
    return _page(request, estate, staff, alarm)


@router.post("/{alarm}")
def acknowledge_alarm(
    request: Request,
    alarm: str,
    estate: EstateDep,
    staff: Writer,
    note: Text = "",
    back: Text = "",
) -> Response:
    """Say that an alarm has been seen, and what was found."""
    try:
        notice(estate, alarm, staff.staff, note)
    except InputRefused as refusal:
        return _page(request, estate, staff, alarm, refusal, note)
    return go_to(f"/alarms{'/' + alarm if back == 'alarm' else ''}?done=alarm-seen")


def _waiting(estate: Estate) -> list[ShownAlarm]:
    with estate.reading() as session:
        return list_alarms(session, estate.safe, AlarmFilter(only_open=True), limit=MOST_OPEN)


def _begin(day: str, zone: ZoneInfo, *, days: int = 0) -> int:
    """Return when a day of the estate begins, or one so many days later, in Unix milliseconds."""
    try:
        begin = datetime.combine(date.fromisoformat(day) + timedelta(days=days), time(), zone)
    except (ValueError, OverflowError):
        return 0
    return int(begin.astimezone(UTC).timestamp() * 1000)


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    alarm: str,
    refusal: ServerError | None = None,
    note: str = "",
) -> Response:
    with estate.reading() as session:
        found = list_alarms(session, estate.safe, AlarmFilter(alarm=alarm), limit=1)
    if not found:
        raise NotFound("no such alarm", code="alarm-unknown")
    return desk_page(
        request,
        estate,
        staff,
        "alarm.html.jinja",
        room="alarms",
        here=f"/alarms/{alarm}",
        refusal=refusal,
        alarm=found[0],
        about=estate.name_of(found[0].subject),
        note=note,
        longest=MAX_NOTE,
    )
