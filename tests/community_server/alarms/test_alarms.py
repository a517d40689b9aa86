"""What doors tell of alarms and entries is kept once, ended once, and acknowledged by name."""

import secrets

import pytest
from sqlalchemy import select

from access_rules.alarms import AlarmKind
from community_server.alarms.queries import count_open
from community_server.alarms.routes import notice
from community_server.alarms.service import end_alarms
from community_server.audit.tables import AuditRow
from community_server.doors.service import revoke_door
from community_server.doors.tables import Door
from community_server.errors import InputRefused, NotFound
from community_server.staff.tables import StaffMember
from tests.community_server.alarms.gates import AT, Gate, over, raised
from tests.community_server.bench import Bench
from tier_link.estate_messages import EntryRemarked


@pytest.fixture
def gate(bench: Bench) -> Gate:
    return Gate(bench)


def test_an_alarm_begins_and_ends_once_however_often_it_is_told(gate: Gate) -> None:
    alarm = raised()
    for _ in range(2):
        gate.tell(alarm)
    assert gate.kinds() == ["held-open"]
    gate.tell(over(alarm))
    gate.tell(over(alarm, at=AT + 9000))
    gate.tell(alarm)  # a door tells a restored server everything again
    (shown,) = gate.alarms()
    assert (shown.active, shown.raised_at, shown.cleared_at) == (False, AT, AT + 5000)
    assert gate.kinds() == []


def test_an_end_that_comes_alone_is_no_lasting_alarm(gate: Gate) -> None:
    gate.tell(over(raised()))
    assert [one.active for one in gate.alarms()] == [False]


def test_no_door_ends_another_doors_alarm(gate: Gate, bench: Bench) -> None:
    alarm = raised()
    gate.tell(alarm)
    Gate(bench).tell(over(alarm))
    assert gate.kinds() == ["held-open"]


def test_a_door_without_a_clock_is_taken_at_the_time_of_arrival(gate: Gate) -> None:
    alarm = raised(at=0)
    gate.tell(alarm)
    gate.tell(over(alarm, at=0))
    (shown,) = gate.alarms()
    assert shown.raised_at > AT
    assert shown.cleared_at >= shown.raised_at
    assert shown.time_known is False


def test_whoever_saw_an_alarm_first_is_named_and_it_stays_open_until_both(
    gate: Gate, bench: Bench
) -> None:
    estate = bench.estate
    with estate.reading() as session:
        desk = session.scalars(select(StaffMember)).one()
    alarm = raised(kind="fire")
    gate.tell(alarm)
    with pytest.raises(InputRefused):
        notice(estate, alarm.alarm, desk.id, "a" * 201)
    notice(estate, alarm.alarm, desk.id, " Toast,  Mr 林's kitchen ")
    notice(estate, alarm.alarm, "0" * 32, "me too")
    (shown,) = gate.alarms(only_open=True)
    assert (shown.acknowledged_by, shown.active) == ("desk", True)
    assert shown.note == "Toast, Mr 林's kitchen"
    assert "林" not in repr(shown)
    gate.tell(over(alarm, by=desk.id))
    assert gate.alarms(only_open=True) == []
    assert gate.alarms()[0].cleared_by == "desk"
    with estate.reading() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.subject == alarm.alarm)).all()
    assert [(row.action, row.staff_id) for row in rows] == [("acknowledge-alarm", desk.id)]
    with pytest.raises(NotFound):
        notice(estate, "0" * 32, desk.id)


def test_what_is_over_and_unseen_still_waits_for_somebody(gate: Gate, bench: Bench) -> None:
    with bench.estate.reading() as session:
        before = count_open(session)
    alarm = raised(kind="forced-open")
    gate.tell(alarm)
    gate.tell(over(alarm))
    with bench.estate.reading() as session:
        assert count_open(session) == before + 1


def test_a_revoked_or_replaced_terminal_leaves_no_alarm_behind(gate: Gate, bench: Bench) -> None:
    gate.tell(raised())
    with bench.estate.changer.change() as change:
        revoke_door(change, bench.estate.links, gate.door)
    assert gate.kinds() == []
    replaced = Gate(bench)
    replaced.tell(raised())
    with bench.estate.changer.change() as change:
        row = change.session.get_one(Door, replaced.door)
        bench.estate.configurer.welcome(change, row, secrets.token_bytes(32))
    assert replaced.kinds() == []


def test_only_the_kind_that_is_named_ends(gate: Gate, bench: Bench) -> None:
    gate.tell(raised(kind="fire"))
    gate.tell(raised(kind="held-open", at=AT + 1))
    with bench.estate.changer.change() as change:
        end_alarms(change.session, gate.door, AlarmKind.HELD_OPEN)
    assert gate.kinds() == ["fire"]


def test_remarks_stand_by_the_entry_of_the_door_that_made_them(gate: Gate, bench: Bench) -> None:
    entry = gate.entry()
    for _ in range(2):
        gate.tell(EntryRemarked(entry, "tailgating"))
    Gate(bench).tell(EntryRemarked(entry, "not-passed"))
    gate.tell(EntryRemarked("0" * 32, "not-passed"))
    assert gate.remarks(entry) == ("tailgating",)


def test_who_goes_the_same_way_twice_is_remarked_on_and_let_through(bench: Bench) -> None:
    pair = secrets.token_hex(4)
    inner, outer, alone = Gate(bench, "in", pair), Gate(bench, "out", pair), Gate(bench, "in")
    who = {"person": secrets.token_hex(16)}
    first = inner.entry(AT, **who)
    elsewhere = alone.entry(AT + 1, **who)
    again = inner.entry(AT + 2, **who)
    refused = inner.entry(AT + 3, **who, granted=False)
    left = outer.entry(AT + 4, **who)
    back = inner.entry(AT + 5, **who)
    stranger = inner.entry(AT + 6, person="")
    for door, entry in ((inner, first), (alone, elsewhere), (outer, left), (inner, back)):
        assert door.remarks(entry) == ()
    assert inner.remarks(again) == ("passback",)
    assert inner.remarks(refused) == inner.remarks(stranger) == ()


def test_who_did_not_go_through_may_come_again(bench: Bench) -> None:
    inner = Gate(bench, "in", secrets.token_hex(4))
    who = {"person": secrets.token_hex(16)}
    inner.tell(EntryRemarked(inner.entry(AT, **who), "not-passed"))
    assert inner.remarks(inner.entry(AT + 1, **who)) == ()


def test_what_arrives_late_is_judged_by_when_it_was(bench: Bench) -> None:
    pair = secrets.token_hex(4)
    inner, outer = Gate(bench, "in", pair), Gate(bench, "out", pair)
    who = {"person": secrets.token_hex(16)}
    outer.entry(AT + 10, **who)
    assert inner.remarks(inner.entry(AT, **who)) == ()
    assert inner.remarks(inner.entry(AT + 20, **who)) == ()
