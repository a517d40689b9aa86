"""What other systems may know: numbered once, in order, behind a cursor, without a name."""

import json

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import Conflict
from community_server.events.kinds import KINDS, AlarmRaised
from community_server.events.service import (
    ShownEvent,
    forget_events,
    newest_number,
    number_events,
    oldest_number,
    read_events,
    tell,
)
from community_server.events.tables import Event
from tests.community_server.alarms.gates import Gate, over, raised
from tests.community_server.bench import Bench

DAY = 24 * 3600


def number(bench: Bench) -> list[ShownEvent]:
    with Session(bench.estate.engine) as session, session.begin():
        return list(number_events(session))


def behind(bench: Bench, after: int, *kinds: str) -> list[ShownEvent]:
    with bench.estate.reading() as session:
        return list(read_events(session, after=after, limit=100, kinds=kinds))


def newest(bench: Bench) -> int:
    number(bench)
    with bench.estate.reading() as session:
        return newest_number(session)


def test_entries_and_alarms_are_events_once_however_often_they_are_told(bench: Bench) -> None:
    gate, start = Gate(bench), newest(bench)
    entry, alarm = gate.entry(), raised()
    for _ in range(2):
        gate.tell(alarm)
    gate.tell(over(alarm))
    assert len(number(bench)) == 3
    assert number(bench) == []
    made, begun, ended = behind(bench, start)
    assert [one.kind for one in (made, begun, ended)] == ["entry", "alarm-raised", "alarm-ended"]
    assert [one.number for one in (made, begun, ended)] == [start + 1, start + 2, start + 3]
    assert (made.data["entry"], made.data["door"]) == (entry, gate.door)
    assert begun.data == {
        "alarm": alarm.alarm,
        "door": gate.door,
        "what": "held-open",
        "severity": "warning",
    }
    assert [one.kind for one in behind(bench, start, "alarm-ended")] == ["alarm-ended"]


def test_a_change_of_a_roster_names_ids_and_never_a_name(bench: Bench) -> None:
    gate, start = Gate(bench), newest(bench)
    _, person = bench.invite(name="林梅 Lin Mei", unit="3-1-502")
    with bench.estate.changer.change() as change:
        change.touch(person)
    with bench.estate.changer.change() as change:
        bench.estate.rosters.send_snapshot(change, change.session.get_one(Door, gate.door))
    number(bench)
    events = [
        one for one in behind(bench, start, "roster-changed") if one.data["door"] == gate.door
    ]
    assert events[-1].data["replaced"] is True
    with Session(bench.estate.engine) as session:
        everything = [json.loads(row.body) for row in session.query(Event)]
    assert "Lin" not in str(everything)
    assert "林" not in str(everything)


def test_what_commits_late_is_numbered_late_and_missed_by_nobody(bench: Bench) -> None:
    if bench.estate.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    start = newest(bench)
    with Session(bench.estate.engine) as slow, Session(bench.estate.engine) as quick:
        tell(slow, AlarmRaised("a" * 32, "", "slow", "warning"))
        slow.flush()  # its row is older than the other's
        tell(quick, AlarmRaised("b" * 32, "", "quick", "warning"))
        quick.commit()
        number(bench)
        read = behind(bench, start)
        assert [one.data["what"] for one in read] == ["quick"]
        slow.commit()
    number(bench)
    assert [one.data["what"] for one in behind(bench, read[-1].number)] == ["slow"]


def test_a_cursor_that_lost_events_or_knows_too_many_is_told_so(bench: Bench) -> None:
    for _ in range(2):
        Gate(bench).entry()
    last = newest(bench)
    with Session(bench.estate.engine) as session, session.begin():
        session.execute(update(Event).values(at=now() - 31 * DAY))
        forget_events(session, now() - 30 * DAY, 500)
        assert oldest_number(session) == last  # the newest one holds the number
    assert behind(bench, last) == []
    assert [one.number for one in behind(bench, last - 1)] == [last]
    for cursor, code in ((0, "cursor-too-old"), (last + 1, "cursor-unknown")):
        with pytest.raises(Conflict) as refused:
            behind(bench, cursor)
        assert refused.value.code == code
    Gate(bench).entry()
    assert newest(bench) == last + 1


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(set(KINDS)) == len(KINDS)
