"""Schedules: weeks that groups go by, each with a picture."""

from typing import Annotated, Final, cast

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from access_rules.calendars import WEEKDAYS, HolidayRule
from community_server.access.routes import ScheduleRequest, Span, drop_schedule, save_schedule
from community_server.access.schedules import ListedSchedule, find_schedule, list_schedules
from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.console.week import draw
from community_server.desk import EstateDep, reader
from community_server.doors.hours import written
from community_server.errors import InputRefused, NotFound, ServerError
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_link.estate_messages import HolidayRule as WireRule
from tier_link.estate_messages import WeeklyWindow

router = APIRouter(prefix="/schedules")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Editor = Annotated[SignedIn, reader(Permission.MANAGE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]

DAYS: Final = tuple(day.value for day in WEEKDAYS)
RULES: Final = tuple(rule.value for rule in HolidayRule)
SPARE_LINES: Final = 2
"""Empty lines of a form for more hours."""
LEAST_LINES: Final = 3

Texts = Annotated[list[str], Form(default_factory=list, max_length=500)]


@router.get("")
def show_schedules(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the schedules with their pictures."""
    with estate.reading() as session:
        schedules = list_schedules(session)
    return desk_page(
        request,
        estate,
        staff,
        "schedules.html.jinja",
        room="people",
        here="/schedules",
        schedules=[(one, draw(one)) for one in schedules],
    )


@router.get("/new")
def ask_schedule(request: Request, estate: EstateDep, staff: Editor) -> Response:
    """Show an empty schedule."""
    return _form(request, estate, staff, ListedSchedule("", (), "usual", "", 0))


@router.get("/{schedule}")
def show_schedule(request: Request, schedule: str, estate: EstateDep, staff: Editor) -> Response:
    """Show one schedule, to be changed."""
    with estate.reading() as session:
        shown = find_schedule(session, schedule)
    return _form(request, estate, staff, shown)


@router.post("/{schedule}")
def write_schedule(
    request: Request,
    schedule: str,
    estate: EstateDep,
    staff: Writer,
    days: Texts,
    begins: Texts,
    ends: Texts,
    name: Text = "",
    on_holidays: Text = "usual",
) -> Response:
    """Keep a schedule; doors hear of it at once."""
    written_id = "" if schedule == "new" else schedule
    try:
        wanted = read_schedule(name, on_holidays, days, begins, ends)
        save_schedule(estate, wanted.week(), staff.staff, written_id)
    except NotFound:
        raise
    except ServerError as refusal:
        windows = _kept(days, begins, ends)
        shown = ListedSchedule(name[:64], windows, _rule(on_holidays), written_id, 0)
        return _form(request, estate, staff, shown, refusal)
    return go_to("/schedules?done=schedule-saved")


@router.post("/{schedule}/removal")
def remove_schedule(request: Request, schedule: str, estate: EstateDep, staff: Writer) -> Response:
    """Remove a schedule that no group goes by."""
    try:
        drop_schedule(estate, schedule, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        with estate.reading() as session:
            shown = find_schedule(session, schedule)
        return _form(request, estate, staff, shown, refusal)
    return go_to("/schedules?done=schedule-removed")


def read_schedule(
    name: str, on_holidays: str, days: list[str], begins: list[str], ends: list[str]
) -> ScheduleRequest:
    """Return the schedule that a form describes: `days` are written as "2-friday", by line.

    Raises:
        InputRefused: `windows-missing`, `windows-wrong`, `input-refused`.
    """
    spans = []
    for line, (start, end) in enumerate(zip(begins, ends, strict=False)):
        named = _days_of(line, days)
        if not named and not start and not end:
            continue
        try:
            spans.append(Span.model_validate({"days": named, "from": start, "until": end}))
        except ValidationError as error:
            raise InputRefused(f"line {line + 1}", field="windows", code="windows-wrong") from error
    if not spans:
        raise InputRefused("no hours", field="windows", code="windows-missing")
    try:
        return ScheduleRequest(name=name.strip(), hours=spans, on_holidays=_rule(on_holidays))
    except ValidationError as error:
        raise InputRefused("a name too long", field="name", code="name-missing") from error


def _rule(text: str) -> WireRule:
    return cast("WireRule", text) if text in RULES else "usual"


def _days_of(line: int, days: list[str]) -> list[str]:
    prefix = f"{line}-"
    return [one.removeprefix(prefix) for one in days if one.startswith(prefix)]


def _kept(days: list[str], begins: list[str], ends: list[str]) -> tuple[WeeklyWindow, ...]:
    """Return those of the lines that make sense, so that they need not be typed again."""
    windows = []
    for line, (start, end) in enumerate(zip(begins, ends, strict=False)):
        try:
            span = {"days": _days_of(line, days), "from": start, "until": end}
            windows.append(Span.model_validate(span).window())
        except ValidationError:
            continue
    return tuple(windows)


def _form(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    schedule: ListedSchedule,
    refusal: ServerError | None = None,
) -> Response:
    lines = [
        (
            [day for bit, day in enumerate(DAYS) if one.weekday_mask >> bit & 1],
            written(one.start_minute),
            written(one.end_minute % 1440),
        )
        for one in schedule.windows
    ]
    spare = max(SPARE_LINES, LEAST_LINES - len(lines))
    return desk_page(
        request,
        estate,
        staff,
        "schedule.html.jinja",
        room="people",
        here=f"/schedules/{schedule.id or 'new'}",
        refusal=refusal,
        schedule=schedule,
        week=draw(schedule) if schedule.windows else [],
        lines=lines + [([], "", "")] * spare,
        days=DAYS,
        rules=RULES,
    )
