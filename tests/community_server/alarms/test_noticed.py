"""What the server notices by itself: raised when it has lasted, ended with its cause, escalated."""

import secrets
from dataclasses import dataclass, field

import pytest
from sqlalchemy import delete, update

from access_rules.alarms import AlarmKind
from community_server.alarms.escalation import Telling, escalate
from community_server.alarms.queries import AlarmFilter, active_kinds, count_open, list_alarms
from community_server.alarms.routes import notice
from community_server.alarms.rules import (
    DEFAULTS,
    Escalation,
    Severity,
    Step,
    read_rules,
    set_escalation,
    set_rule,
)
from community_server.alarms.service import raise_alarm
from community_server.alarms.tables import Alarm, AlarmSetting, EscalationSetting
from community_server.alarms.watch import GIB, EstateWatch, Surroundings
from community_server.database import now
from community_server.doors.tables import Door
from community_server.doors.watch import Seen
from community_server.entries.tables import Entry
from community_server.errors import InputRefused, NotFound
from community_server.events.tables import Event
from community_server.webhooks.tables import Delivery, Webhook
from tests.community_server.alarms.gates import Gate, over, raised
from tests.community_server.bench import STAFF, Bench
from tier_link.estate_messages import DoorPresence

DAY = 24 * 3600
MINUTE = 60


def presence(*, time_known: bool = True) -> DoorPresence:
    return DoorPresence(0, b"\0" * 32, "local", "s", "1", "", 1.0, 0, 1.0, 1.0, time_known)


@dataclass
class Watched:
    """One door as the server sees it, and a clock that is set by hand."""

    bench: Bench
    gate: Gate
    connected: bool = True
    seen: Seen | None = None
    free: int | None = 100 * GIB
    clock: float = 0.0
    watch: EstateWatch = field(init=False)

    def __post_init__(self) -> None:
        around = Surroundings(
            connected=lambda _: self.connected,
            seen=lambda _: self.seen,
            free=lambda: self.free,
            lease_s=7 * DAY,
        )
        self.watch = EstateWatch(around, lambda: self.clock)

    def look(self, minutes: float = 0) -> list[str]:
        """Let time pass, look, and return what goes on at the door and at the server."""
        self.clock += minutes * MINUTE
        with self.bench.estate.changer.change() as change:
            self.watch.look(change)
        with self.bench.estate.reading() as session:
            active = active_kinds(session)
        return active.get(self.gate.door, []) + active.get(None, [])


@pytest.fixture
def watched(bench: Bench) -> Watched:
    """A door of its own; what others left does not go on."""
    with bench.estate.changer.change() as change:
        for table in (Alarm, AlarmSetting, EscalationSetting, Entry, Delivery, Webhook):
            change.session.execute(delete(table))
        change.session.execute(update(Door).values(state="new"))
    return Watched(bench, Gate(bench))


def test_a_door_that_stays_away_is_an_alarm_until_it_is_back(watched: Watched) -> None:
    assert watched.look() == []
    watched.connected = False
    assert watched.look() == []
    assert watched.look(minutes=10) == []
    for _ in range(2):
        assert watched.look(minutes=1) == ["door-offline"]
    watched.connected = True
    assert watched.look() == []
    watched.connected = False
    assert watched.look(minutes=60) == []  # the time begins anew
    assert [(one.kind, one.active) for one in watched.gate.alarms()] == [("door-offline", False)]


def test_a_door_behind_its_roster_or_without_a_clock_is_an_alarm_once_it_lasts(
    watched: Watched,
) -> None:
    watched.seen = Seen(presence(time_known=False), 0.0, in_step=False)
    assert watched.look() == []
    assert sorted(watched.look(minutes=11)) == ["clock-unknown", "roster-behind"]
    watched.seen = Seen(presence(), 0.0, in_step=True)
    assert watched.look() == []


def test_a_lease_that_runs_out_is_told_two_days_ahead_also_after_a_restart(
    watched: Watched,
) -> None:
    watched.look()
    watched.connected = False
    for heard, kinds in ((4 * DAY, []), (5 * DAY + MINUTE, ["lease-ending"])):
        with watched.bench.estate.changer.change() as change:
            door = change.session.get_one(Door, watched.gate.door)
            assert door.heard_at > 0
            door.heard_at = now() - heard
        again = Watched(watched.bench, watched.gate, connected=False)
        assert again.look() == kinds
    watched.connected = True
    assert watched.look() == []


def test_a_disk_that_fills_is_the_servers_own_alarm_and_ends_well_clear(watched: Watched) -> None:
    for free, kinds in (
        (2 * GIB, []),
        (2 * GIB - 1, ["server-disk-low"]),
        (2 * GIB, ["server-disk-low"]),
        (3 * GIB, []),
        (None, []),
    ):
        watched.free = free
        assert watched.look() == kinds
    with watched.bench.estate.reading() as session:
        found = list_alarms(session, watched.bench.estate.safe, AlarmFilter(door="server"), limit=9)
    assert [(one.door, one.door_name, one.severity) for one in found] == [("", "", "urgent")]


def test_strangers_who_try_again_and_again_are_one_alarm_that_ends_by_itself(
    watched: Watched,
) -> None:
    def tries(count: int, **more: object) -> None:
        for _ in range(count):
            fields = {"person": "", "granted": False, "reason": "not-recognized"} | more
            watched.gate.entry(now() * 1000, **fields)

    tries(4)
    tries(9, person="a" * 32, reason="outside-schedule")
    tries(9, reason="lease-over")
    tries(1, granted=True, reason="within-rules")
    assert watched.gate.kinds() == []
    tries(1, reason="pin-wrong")
    tries(3)
    assert watched.gate.kinds() == ["strangers"]
    assert len(watched.gate.alarms()) == 1
    assert watched.look() == ["strangers"]
    with watched.bench.estate.changer.change() as change:
        change.session.execute(update(Entry).values(at=Entry.at - 11 * MINUTE * 1000))
    assert watched.look() == []


def test_what_a_door_tells_of_yesterday_raises_no_alarm_about_strangers(watched: Watched) -> None:
    for _ in range(9):
        watched.gate.entry((now() - DAY) * 1000, person="", granted=False, reason="not-recognized")
    assert watched.gate.kinds() == []


def test_what_nobody_sees_is_escalated_once_after_the_time_of_its_severity(
    watched: Watched,
) -> None:
    estate, gate, moment = watched.bench.estate, watched.gate, now()
    urgent, warning = raised(kind="forced-open"), raised(kind="held-open")
    seen = raised(kind="case-tamper")
    for alarm in (urgent, warning, seen):
        gate.tell(alarm)
    gate.tell(over(urgent))  # it is over, and still nobody knows of it
    notice(estate, seen.alarm, STAFF)
    with estate.changer.change() as change:  # one step alone
        set_escalation(change, STAFF, Severity.URGENT, Escalation(Step(5)))

    def escalated(later: int) -> list[str]:
        with estate.changer.change() as change:
            escalate(change, Telling(), moment + later)
        with estate.reading() as session:
            wanted = AlarmFilter(only_escalated=True)
            return [one.kind for one in list_alarms(session, estate.safe, wanted, limit=9)]

    assert escalated(4 * MINUTE) == []
    assert escalated(6 * MINUTE) == ["forced-open"]
    with estate.changer.change() as change:
        set_escalation(change, STAFF, Severity.WARNING, Escalation(Step(0)))
    assert escalated(DAY) == ["forced-open"]  # 0 minutes: never
    with estate.changer.change() as change:
        set_escalation(change, STAFF, Severity.WARNING, Escalation(Step(10)))
    assert sorted(escalated(DAY)) == ["forced-open", "held-open"]
    notice(estate, urgent.alarm, STAFF)
    assert escalated(DAY) == ["held-open"]
    with estate.reading() as session:
        told = session.query(Event).filter(Event.kind == "alarm-escalated").count()
    assert told == 2


def test_a_kind_that_is_set_to_history_only_asks_nothing_of_anybody(watched: Watched) -> None:
    estate = watched.bench.estate
    with estate.changer.change() as change:
        set_rule(change, STAFF, AlarmKind.HELD_OPEN, severity=Severity.QUIET)
    watched.gate.tell(raised(kind="held-open"))
    with estate.changer.change() as change:
        assert escalate(change, Telling(), now() + DAY) == 0
    with estate.reading() as session:
        assert count_open(session) == 0
    (shown,) = watched.gate.alarms()
    assert (shown.severity, shown.acknowledged_by) == ("quiet", "")
    assert watched.gate.kinds() == ["held-open"]  # the door's page shows it yet


def test_a_rule_that_is_set_counts_from_then_on(watched: Watched) -> None:
    estate = watched.bench.estate
    with estate.changer.change() as change:
        assert raise_alarm(change.session, watched.gate.door, AlarmKind.CLOCK_UNKNOWN)
        set_rule(
            change, STAFF, AlarmKind.DOOR_OFFLINE, severity=Severity.URGENT, after_min=1, most=7
        )
        set_rule(change, STAFF, AlarmKind.CLOCK_UNKNOWN, severity=Severity.URGENT, after_min=5)
    with estate.reading() as session:
        rule = read_rules(session).of(AlarmKind.DOOR_OFFLINE)
    assert (rule.severity, rule.after_min, rule.most) == (Severity.URGENT, 1, 0)
    watched.connected = False
    watched.look()
    assert "door-offline" in watched.look(minutes=2)
    kinds = {one.kind: one.severity for one in watched.gate.alarms()}
    assert kinds == {"door-offline": "urgent", "clock-unknown": "warning"}


@pytest.mark.parametrize(
    ("kind", "after_min", "most"),
    [("strangers", 0, 5), ("strangers", 10, 0), ("strangers", 7 * 24 * 60 + 1, 5)],
)
def test_a_number_out_of_range_is_refused(
    bench: Bench, kind: str, after_min: int, most: int
) -> None:
    with bench.estate.changer.change() as change, pytest.raises(InputRefused):
        set_rule(change, STAFF, kind, severity=Severity.URGENT, after_min=after_min, most=most)


def test_every_kind_has_a_rule_and_no_other_can_be_set(bench: Bench) -> None:
    assert set(DEFAULTS) == set(AlarmKind)
    with bench.estate.changer.change() as change, pytest.raises(NotFound):
        set_rule(change, STAFF, secrets.token_hex(4), severity=Severity.URGENT)


def test_past_alarms_are_found_by_kind_door_time_and_page_by_page(
    watched: Watched, bench: Bench
) -> None:
    for number, kind in enumerate(("held-open", "forced-open", "held-open")):
        alarm = raised(kind=kind, at=1000 + number)
        watched.gate.tell(alarm)
        watched.gate.tell(over(alarm, at=2000))
        notice(bench.estate, alarm.alarm, STAFF)
    with bench.estate.changer.change() as change:
        raise_alarm(change.session, None, AlarmKind.SERVER_DISK_LOW)

    def found(limit: int = 9, **wanted: object) -> list[tuple[str, int]]:
        with bench.estate.reading() as session:
            shown = list_alarms(
                session,
                bench.estate.safe,
                AlarmFilter(**wanted),  # type: ignore[arg-type]  # each field by its name
                limit=limit,
            )
        pages.append(shown[-1].alarm if shown else "")
        return [(one.kind, one.raised_at) for one in shown]

    pages: list[str] = []
    assert found(only_closed=True, kind="held-open") == [("held-open", 1002), ("held-open", 1000)]
    assert found(door=watched.gate.door, since=1001, until=1002) == [("forced-open", 1001)]
    assert [kind for kind, _ in found(door="server")] == ["server-disk-low"]
    assert found(only_closed=True, limit=2)[1] == ("forced-open", 1001)
    assert found(only_closed=True, before=pages[-1]) == [("held-open", 1000)]
