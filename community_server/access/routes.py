"""Access groups, schedules and holidays, for programs."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from access_rules.calendars import WEEKDAYS
from access_rules.schedules import MINUTES_PER_DAY
from community_server.access.holidays import (
    MOST_LINES,
    Day,
    list_holidays,
    put_days,
    remove_day,
)
from community_server.access.schedules import (
    ListedSchedule,
    Week,
    add_schedule,
    change_schedule,
    list_schedules,
    remove_schedule,
)
from community_server.access.service import (
    GroupWanted,
    ListedGroup,
    add_group,
    change_group,
    list_groups,
    make_default,
    remove_group,
)
from community_server.audit.log import audit
from community_server.desk import EstateDep, RowNumber, reader, writer
from community_server.doors.hours import read_minute, written
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_link.estate_messages import MOST_WINDOWS, HolidayRule, Weekday, WeeklyWindow

router = APIRouter(prefix="/api/v1", tags=["access"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]

MIDNIGHT = "24:00"
Name = Annotated[str, Field(max_length=64)]


def _real(day: str) -> str:
    date.fromisoformat(day)
    return day


DateText = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real)]


def read_end(text: object) -> int:
    """Return the minute of the day at which hours end, 1..1440.

    Raises:
        ValueError: it is no time of day.
    """
    return MINUTES_PER_DAY if text in {MIDNIGHT, "00:00"} else read_minute(text)


class Span(BaseModel):
    """Hours on some weekdays, written as "07:30"; an end before the start is on the next day."""

    model_config = ConfigDict(populate_by_name=True)

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    begins: Annotated[
        int, BeforeValidator(read_minute, json_schema_input_type=str), Field(alias="from")
    ]
    ends: Annotated[
        int, BeforeValidator(read_end, json_schema_input_type=str), Field(alias="until")
    ]

    def window(self) -> WeeklyWindow:
        """Return it as doors are told."""
        names = [day.value for day in WEEKDAYS]
        mask = sum({1 << names.index(day) for day in self.days})
        return WeeklyWindow(mask, self.begins, self.ends)


class ShownSpan(BaseModel):
    """Hours as they are kept."""

    days: list[str]
    begins: Annotated[str, Field(serialization_alias="from")]
    ends: Annotated[str, Field(serialization_alias="until")]

    @classmethod
    def of(cls, window: WeeklyWindow) -> "ShownSpan":
        """Return what is shown of a window."""
        return cls(
            days=[day.value for bit, day in enumerate(WEEKDAYS) if window.weekday_mask >> bit & 1],
            begins=written(window.start_minute),
            ends=written(window.end_minute),
        )


class ScheduleRequest(BaseModel):
    """A schedule; on a holiday its usual hours hold, none, or those of a weekday."""

    name: Name
    hours: Annotated[list[Span], Field(max_length=MOST_WINDOWS)]
    on_holidays: HolidayRule = "usual"

    def week(self) -> Week:
        """Return it as the service takes it."""
        windows = tuple(one.window() for one in self.hours)
        return Week(self.name.strip(), windows, self.on_holidays)


class ShownSchedule(BaseModel):
    """A schedule, and how many groups go by it."""

    schedule: str
    name: str
    hours: list[ShownSpan]
    on_holidays: str
    groups: int


class ScheduleAdded(BaseModel):
    """Its id."""

    schedule: str


class GroupRequest(BaseModel):
    """A group: every door or some, at any hour or by a schedule."""

    name: Name
    every_door: bool = False
    doors: Annotated[list[str], Field(max_length=1000)] = []
    schedule: Annotated[str, Field(max_length=32)] = ""

    def wanted(self) -> GroupWanted:
        """Return it as the service takes it."""
        return GroupWanted(self.name.strip(), self.every_door, frozenset(self.doors), self.schedule)


class ShownGroup(BaseModel):
    """A group; `default` says that it is of everybody without groups or doors of their own.

    `people` is how many are in it themselves. The group that an estate begins with has no name.
    """

    group: int
    name: str
    every_door: bool
    doors: list[str]
    schedule: str
    default: bool
    people: int


class GroupAdded(BaseModel):
    """Its number."""

    group: int


class HolidayRequest(BaseModel):
    """A day that is unlike others."""

    day: DateText
    name: Name = ""
    counts_as: Literal["holiday"] | Weekday = "holiday"


class ShownHoliday(BaseModel):
    """A day of the calendar: a holiday, or one that counts as a weekday."""

    day: str
    name: str
    counts_as: str


@router.get("/schedules")
def show_schedules(estate: EstateDep, staff: Reader) -> list[ShownSchedule]:
    """List the schedules."""
    del staff
    with estate.reading() as session:
        return [_shown_schedule(one) for one in list_schedules(session)]


@router.post("/schedules", status_code=201)
def make_schedule(body: ScheduleRequest, estate: EstateDep, staff: Writer) -> ScheduleAdded:
    """Add a schedule."""
    return ScheduleAdded(schedule=save_schedule(estate, body.week(), staff.staff))


@router.put("/schedules/{schedule}", status_code=204)
def replace_schedule(
    schedule: str, body: ScheduleRequest, estate: EstateDep, staff: Writer
) -> None:
    """Change a schedule; doors hear of it at once."""
    save_schedule(estate, body.week(), staff.staff, schedule)


@router.delete("/schedules/{schedule}", status_code=204)
def delete_schedule(schedule: str, estate: EstateDep, staff: Writer) -> None:
    """Remove a schedule that no group goes by."""
    drop_schedule(estate, schedule, staff.staff)


@router.get("/groups")
def show_groups(estate: EstateDep, staff: Reader) -> list[ShownGroup]:
    """List the access groups, the default one first."""
    del staff
    with estate.reading() as session:
        return [_shown_group(one) for one in list_groups(session)]


@router.post("/groups", status_code=201)
def make_group(body: GroupRequest, estate: EstateDep, staff: Writer) -> GroupAdded:
    """Add an access group."""
    return GroupAdded(group=save_group(estate, body.wanted(), staff.staff))


@router.put("/groups/{group}", status_code=204)
def replace_group(group: RowNumber, body: GroupRequest, estate: EstateDep, staff: Writer) -> None:
    """Change an access group; doors hear of it at once."""
    save_group(estate, body.wanted(), staff.staff, group)


@router.post("/groups/{group}/default", status_code=204)
def choose_default(group: RowNumber, estate: EstateDep, staff: Writer) -> None:
    """Make a group the one of everybody who has neither groups nor doors of their own."""
    set_default(estate, group, staff.staff)


@router.delete("/groups/{group}", status_code=204)
def delete_group(group: RowNumber, estate: EstateDep, staff: Writer) -> None:
    """Remove an access group that nobody is in."""
    drop_group(estate, group, staff.staff)


@router.get("/holidays")
def show_holidays(
    estate: EstateDep, staff: Reader, since: Annotated[str, Query(max_length=10)] = ""
) -> list[ShownHoliday]:
    """List the days that are unlike others, from a date (YYYY-MM-DD) on."""
    del staff
    with estate.reading() as session:
        return [
            ShownHoliday(day=one.day, name=one.name, counts_as=one.counts_as)
            for one in list_holidays(session, since)
        ]


@router.put("/holidays", status_code=204)
def add_holidays(
    body: Annotated[list[HolidayRequest], Field(max_length=MOST_LINES)],
    estate: EstateDep,
    staff: Writer,
) -> None:
    """Add days, in place of what was known of the same dates; doors hear of it at once."""
    save_days(estate, [Day(one.day, one.name.strip(), one.counts_as) for one in body], staff.staff)


@router.delete("/holidays/{day}", status_code=204)
def delete_holiday(day: str, estate: EstateDep, staff: Writer) -> None:
    """Make a day one like any other."""
    drop_day(estate, day, staff.staff)


def save_schedule(estate: Estate, week: Week, staff: str, schedule: str = "") -> str:
    """Add a schedule, or change the one named, and note who did; return its id."""
    with estate.changer.change() as change:
        if schedule:
            change_schedule(change, schedule, week)
        else:
            schedule = add_schedule(change, week)
        audit(change.session, staff, "save-schedule", schedule)
    return schedule


def drop_schedule(estate: Estate, schedule: str, staff: str) -> None:
    """Remove a schedule, and note who did."""
    with estate.changer.change() as change:
        remove_schedule(change, schedule)
        audit(change.session, staff, "remove-schedule", schedule)


def save_group(estate: Estate, wanted: GroupWanted, staff: str, group: int = 0) -> int:
    """Add a group, or change the one named, and note who did; return its number."""
    with estate.changer.change() as change:
        if group:
            change_group(change, group, wanted)
        else:
            group = add_group(change, wanted)
        audit(change.session, staff, "save-group", str(group))
    return group


def set_default(estate: Estate, group: int, staff: str) -> None:
    """Make a group the default one, and note who did."""
    with estate.changer.change() as change:
        make_default(change, group)
        audit(change.session, staff, "default-group", str(group))


def drop_group(estate: Estate, group: int, staff: str) -> None:
    """Remove a group, and note who did."""
    with estate.changer.change() as change:
        remove_group(change, group)
        audit(change.session, staff, "remove-group", str(group))


def save_days(estate: Estate, days: list[Day], staff: str) -> None:
    """Add days to the calendar, and note who did."""
    with estate.changer.change() as change:
        put_days(change, days)
        audit(change.session, staff, "save-holidays", detail=str(len(days)))


def drop_day(estate: Estate, day: str, staff: str) -> None:
    """Take a day off the calendar, and note who did."""
    with estate.changer.change() as change:
        remove_day(change, day)
        audit(change.session, staff, "remove-holiday", day)


def _shown_schedule(one: ListedSchedule) -> ShownSchedule:
    return ShownSchedule(
        schedule=one.id,
        name=one.name,
        hours=[ShownSpan.of(window) for window in one.windows],
        on_holidays=one.on_holidays,
        groups=one.groups,
    )


def _shown_group(one: ListedGroup) -> ShownGroup:
    return ShownGroup(
        group=one.id,
        name=one.name,
        every_door=one.every_door,
        doors=sorted(one.doors),
        schedule=one.schedule,
        default=one.is_default,
        people=one.people,
    )
