"""Groups decide who is on which door's roster, schedules and holidays go out as configuration."""

import secrets
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from community_server.access.holidays import Day, list_holidays, read_days
from community_server.access.membership import put_into_groups
from community_server.access.routes import (
    drop_day,
    drop_group,
    drop_schedule,
    save_days,
    save_group,
    save_schedule,
    set_default,
)
from community_server.access.schedules import Week
from community_server.access.service import GroupWanted, find_group, list_groups
from community_server.database import now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.people.particulars import Known
from community_server.people.service import add_person, issue_pin
from tests.community_server.bench import STAFF, Bench
from tests.community_server.rosters.told import pair, roster, told
from tier_link.estate_messages import (
    DoorConfigured,
    RosterDelta,
    WeeklyWindow,
)

EVENINGS = Week("Evenings", (WeeklyWindow(127, 18 * 60, 22 * 60),), "closed")


def paired(bench: Bench) -> str:
    return pair(bench, secrets.token_hex(4))


def resident(bench: Bench, *groups: int, doors: tuple[str, ...] = ()) -> str:
    with bench.estate.changer.change() as change:
        row = add_person(
            change,
            category="resident",
            unit=secrets.token_hex(4),
            known=Known(name="N"),
            doors=doors,
        )
        if groups:
            put_into_groups(change, row.id, groups)
        issue_pin(change, row.id)
        return row.id


def group(bench: Bench, *doors: str, schedule: str = "", every_door: bool = False) -> int:
    wanted = GroupWanted(secrets.token_hex(4), every_door, frozenset(doors), schedule)
    return save_group(bench.estate, wanted, STAFF)


def rewrite(bench: Bench, number: int, *doors: str, schedule: str = "") -> None:
    with bench.estate.reading() as session:
        name = find_group(session, number).name
    save_group(bench.estate, GroupWanted(name, False, frozenset(doors), schedule), STAFF, number)


def configured(bench: Bench, door: str) -> DoorConfigured:
    return [one for one in told(bench, door) if isinstance(one, DoorConfigured)][-1]


def test_an_estate_begins_with_every_door_for_everybody(bench: Bench) -> None:
    door, person = paired(bench), resident(bench)
    with bench.estate.reading() as session:
        first = list_groups(session)[0]
    assert (first.name, first.every_door, first.is_default) == ("", True, True)
    assert roster(bench, door)[person].groups == (first.id,)
    (hours,) = [one for one in configured(bench, door).groups if one.group == first.id]
    assert (hours.windows, hours.on_holidays) == ((), "usual")


def test_a_person_is_at_the_doors_that_any_of_their_groups_names(bench: Bench) -> None:
    front, gym, roof = paired(bench), paired(bench), paired(bench)
    both = group(bench, front, gym)
    top = group(bench, roof)
    plain, keen, own = (
        resident(bench, both),
        resident(bench, both, top),
        resident(bench, doors=(roof,)),
    )
    for door, people in ((front, {plain, keen}), (gym, {plain, keen}), (roof, {keen, own})):
        assert roster(bench, door).keys() & {plain, keen, own} == people
    assert roster(bench, roof)[own].groups == ()


def test_a_group_that_gains_or_loses_a_door_moves_its_people_and_sends_nobody_else(
    bench: Bench,
) -> None:
    front, gym = paired(bench), paired(bench)
    number = group(bench, front)
    person = resident(bench, number)
    before = len(told(bench, front))

    rewrite(bench, number, front, gym)
    assert person in roster(bench, gym)
    assert number in {one.group for one in configured(bench, gym).groups}
    (delta,) = [one for one in told(bench, gym) if isinstance(one, RosterDelta)][-1:]
    assert [one.person for one in delta.upserts] == [person]
    assert len(told(bench, front)) == before

    rewrite(bench, number, gym)
    assert person not in roster(bench, front)
    assert number not in {one.group for one in configured(bench, front).groups}
    (delta,) = [one for one in told(bench, front) if isinstance(one, RosterDelta)][-1:]
    assert (delta.upserts, delta.removed) == ((), (person,))


def test_a_new_schedule_reaches_doors_without_a_single_roster_row(bench: Bench) -> None:
    door = paired(bench)
    schedule = save_schedule(bench.estate, EVENINGS, STAFF)
    number = group(bench, door)
    resident(bench, number)
    rosters = [one for one in told(bench, door) if not isinstance(one, DoorConfigured)]

    rewrite(bench, number, door, schedule=schedule)
    hours = {one.group: one for one in configured(bench, door).groups}[number]
    assert (hours.windows, hours.on_holidays) == (EVENINGS.windows, "closed")
    later = Week("Evenings", (WeeklyWindow(31, 60, 120),), "sunday")
    save_schedule(bench.estate, later, STAFF, schedule)
    hours = {one.group: one for one in configured(bench, door).groups}[number]
    assert (hours.windows, hours.on_holidays) == (later.windows, "sunday")
    assert rosters == [one for one in told(bench, door) if not isinstance(one, DoorConfigured)]

    with pytest.raises(Conflict) as refused:
        drop_schedule(bench.estate, schedule, STAFF)
    assert refused.value.code == "schedule-used"
    rewrite(bench, number, door)
    drop_schedule(bench.estate, schedule, STAFF)


def test_doors_know_the_holidays_to_come_and_forget_those_gone_by(bench: Bench) -> None:
    door = paired(bench)
    zone = ZoneInfo(bench.estate.settings.time_zone)
    today = datetime.fromtimestamp(now(), zone).date()
    old, soon, worked = today - timedelta(3), today + timedelta(3), today + timedelta(4)
    text = f"{old:%Y-%m-%d} Gone\n{soon.year}年{soon.month}月{soon.day}日 国庆节\n"
    save_days(bench.estate, read_days(text), STAFF)
    save_days(bench.estate, [Day(worked.isoformat(), "Made up", "friday")], STAFF)
    told = [(one.day, one.counts_as) for one in configured(bench, door).days]
    assert told == [(soon.isoformat(), "holiday"), (worked.isoformat(), "friday")]
    with bench.estate.reading() as session:
        assert [one.name for one in list_holidays(session)] == ["Gone", "国庆节", "Made up"]
    for day in (old, soon, worked):
        drop_day(bench.estate, day.isoformat(), STAFF)
    assert configured(bench, door).days == ()
    with pytest.raises(NotFound):
        drop_day(bench.estate, soon.isoformat(), STAFF)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30 x", "1\n" * 500])
def test_a_list_that_is_no_list_of_days_is_refused(text: str) -> None:
    with pytest.raises(InputRefused):
        read_days(text)


def test_whoever_is_in_no_group_follows_the_default_wherever_it_moves(bench: Bench) -> None:
    front, back = paired(bench), paired(bench)
    with bench.estate.reading() as session:
        first = list_groups(session)[0].id
    anybody, member = resident(bench), resident(bench, group(bench, back))
    narrow = group(bench, front)
    try:
        set_default(bench.estate, narrow, STAFF)
        assert roster(bench, front)[anybody].groups == (narrow,)
        assert anybody not in roster(bench, back)
        assert member in roster(bench, back)
        with pytest.raises(Conflict) as refused:
            drop_group(bench.estate, narrow, STAFF)
        assert refused.value.code == "group-is-default"
    finally:
        set_default(bench.estate, first, STAFF)
    assert anybody in roster(bench, back)
    drop_group(bench.estate, narrow, STAFF)


def test_a_group_with_people_stays_and_what_makes_no_sense_is_refused(bench: Bench) -> None:
    number = group(bench)
    resident(bench, number)
    with pytest.raises(Conflict) as refused:
        drop_group(bench.estate, number, STAFF)
    assert refused.value.code == "group-used"
    with bench.estate.reading() as session:
        name = find_group(session, number).name
    for wanted, code in (
        (GroupWanted("", False, frozenset()), "name-missing"),
        (GroupWanted(name, False, frozenset()), "name-taken"),
        (GroupWanted("x", False, frozenset({"nowhere"})), "door-unknown"),
        (GroupWanted("x", False, frozenset(), "nowhen"), "schedule-unknown"),
    ):
        with pytest.raises(InputRefused) as wrong:
            save_group(bench.estate, wanted, STAFF)
        assert wrong.value.code == code
    for week, code in (
        (Week("", EVENINGS.windows, "usual"), "name-missing"),
        (Week("Never", (), "usual"), "windows-missing"),
        (Week("Wrong", (WeeklyWindow(1, 60, 0),), "usual"), "windows-wrong"),
    ):
        with pytest.raises(InputRefused) as wrong:
            save_schedule(bench.estate, week, STAFF)
        assert wrong.value.code == code
