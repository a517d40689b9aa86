"""What doors tell of alarms and entries is kept once, ended once, and acknowledged by name."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.offline import OFFLINE_S, OfflineWatch
from community_server.alarms.routes import notice
from community_server.alarms.service import (
    ShownAlarm,
    active_kinds,
    count_open,
    end_alarms,
    list_alarms,
)
from community_server.audit.tables import AuditRow
from community_server.doors.service import add_door, revoke_door
from community_server.doors.tables import Door
from community_server.entries.service import list_entries
from community_server.errors import NotFound
from community_server.staff.tables import StaffMember
from tests.community_server.bench import Bench
from tier_link.estate_messages import (
    ESTATE,
    AlarmChanged,
    EntryRecorded,
    EntryRemarked,
    EstateMessage,
)

AT = 1_795_000_000_000


@dataclass
class Gate:
    """One door and what it tells."""

    bench: Bench
    direction: str = "both"
    pair: str = ""
    door: str = ""
    told: int = field(default=0)

    def __post_init__(self) -> None:
        with self.bench.estate.changer.change() as change:
            self.door = add_door(change.session, "Gate", self.direction)
            row = change.session.get_one(Door, self.door)
            row.pair, row.state = self.pair, "paired"

    def tell(self, message: EstateMessage) -> None:
        with Session(self.bench.estate.engine) as session, session.begin():
            records = self.bench.estate.doors._records
            records.apply(session, self.door, ESTATE.kind(message), ESTATE.encode(message))

    def entry(self, at: int = AT, **more: Any) -> str:
        self.told += 1
        fields: dict[str, Any] = {
            "entry": secrets.token_hex(16),
            "door_sequence": self.told,
            "at": at,
            "time_known": True,
            "direction": self.direction,
            "person": "a" * 32,
            "category": "resident",
            "credential": "face",
            "granted": True,
            "reason": "within-rules",
            "matched": "local",
            "took_ms": 40,
            "frames": 2,
        }
        entry = EntryRecorded(**(fields | more))
        self.tell(entry)
        return entry.entry

    def remarks(self, entry: str) -> tuple[str, ...]:
        with self.bench.estate.reading() as session:
            entries = list_entries(session, lambda _: "", after=None, limit=100)
        return next(one.remarks for one in entries if one.entry == entry)

    def alarms(self, *, only_open: bool = False) -> list[ShownAlarm]:
        with self.bench.estate.reading() as session:
            alarms = list_alarms(session, only_open=only_open, limit=1000)
        return [one for one in alarms if one.door == self.door]

    def kinds(self) -> list[str]:
        with self.bench.estate.reading() as session:
            return active_kinds(session).get(self.door, [])


@pytest.fixture
def gate(bench: Bench) -> Gate:
    return Gate(bench)


def raised(alarm: str = "", kind: str = "held-open", at: int = AT) -> AlarmChanged:
    return AlarmChanged(alarm or secrets.token_hex(16), kind, True, at, at > 0)


def over(alarm: AlarmChanged, by: str = "", at: int = AT + 5000) -> AlarmChanged:
    return AlarmChanged(alarm.alarm, alarm.kind, False, at, at > 0, by)


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
    notice(estate, alarm.alarm, desk.id)
    notice(estate, alarm.alarm, "0" * 32)
    (shown,) = gate.alarms(only_open=True)
    assert (shown.acknowledged_by, shown.active) == ("desk", True)
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


def test_a_door_that_stays_away_is_an_alarm_until_it_is_back(gate: Gate, bench: Bench) -> None:
    now, here = 0.0, {gate.door}
    with bench.estate.changer.change() as change:  # others' doors of this module stay out of it
        for door in change.session.scalars(select(Door).where(Door.id != gate.door)):
            door.state = "new"
    watch = OfflineWatch(bench.estate.changer, lambda door: door in here, lambda: now)
    for passed, connected in ((0.0, True), (OFFLINE_S, True), (2 * OFFLINE_S, False)):
        now, here = passed, {gate.door} if connected else set()
        watch.look()
        assert gate.kinds() == []
    now = 2 * OFFLINE_S + 1
    for _ in range(2):
        watch.look()
        assert gate.kinds() == ["door-offline"]
    here = {gate.door}
    watch.look()
    assert [(one.kind, one.active) for one in gate.alarms()] == [("door-offline", False)]


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
