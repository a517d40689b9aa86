"""Each entry is counted once to its hour of the estate's clock, however late it comes."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from community_server.entries.hours import hour_of, offset_at, spans_of_offset
from community_server.entries.tables import EntryHour, EntryKind
from community_server.estate import Estate
from tests.community_server.entries.log import AT, Log


@pytest.fixture
def log(estate: Estate) -> Log:
    return Log(estate)


def counted(log: Log, door: str) -> dict[tuple[int, str], int]:
    with log.estate.reading() as session:
        rows = session.execute(
            select(EntryHour.hour, EntryKind.reason, func.sum(EntryHour.count))
            .join(EntryKind, EntryKind.id == EntryHour.kind_id)
            .where(EntryKind.door_id == door)
            .group_by(EntryHour.hour, EntryKind.reason)
        )
        return {(hour, reason): int(count) for hour, reason, count in rows}


def test_an_entry_is_counted_once_however_often_and_late_it_comes(log: Log) -> None:
    door, hour = log.door("Gate"), AT // 3600 * 3600
    first, second = log.message(AT), log.message(AT + 1)
    late = log.message(AT - 30 * 86400)
    log.tell(door, first, second)
    log.tell(door, first, late, second)  # a restored server is told everything again
    assert counted(log, door) == {
        (hour, "within-rules"): 2,
        (hour - 30 * 86400, "within-rules"): 1,
    }


def test_entries_of_one_hour_are_counted_by_what_sets_them_apart(log: Log) -> None:
    door, hour = log.door("Gate"), AT // 3600 * 3600
    log.entry(door)
    log.entry(door, granted=False)
    log.entry(door, granted=False, reason="face-unclear")
    assert counted(log, door) == {
        (hour, "within-rules"): 1,
        (hour, "not-recognized"): 1,
        (hour, "face-unclear"): 1,
    }


def test_an_entry_of_a_door_without_the_time_counts_when_it_arrives(log: Log) -> None:
    door = log.door("Gate")
    log.entry(door, 0, time_known=False)
    ((hour, _),) = counted(log, door)
    shown = next(row for row in log.everything() if row.door == door)
    assert not shown.time_known
    assert hour <= shown.at // 1000 < hour + 3600
    assert shown.at // 1000 == shown.received_at


def test_hours_are_those_of_the_estates_clock() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    at = int(datetime(2026, 11, 18, 7, 45, tzinfo=kolkata).timestamp())
    assert (
        datetime.fromtimestamp(hour_of(at, kolkata), kolkata)
        .isoformat()
        .startswith("2026-11-18T07:00")
    )


def test_a_year_is_cut_where_the_clock_is_changed() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begin = int(datetime(2026, 1, 1, tzinfo=berlin).timestamp())
    end = int(datetime(2027, 1, 1, tzinfo=berlin).timestamp())
    spans = list(spans_of_offset(begin, end, berlin))
    assert [offset for _, _, offset in spans] == [3600, 7200, 3600]
    assert [spans[0][0], spans[-1][1]] == [begin, end]
    for (_, until, before), (since, _, after) in pairwise(spans):
        assert until == since
        assert offset_at(until - 1, berlin) == before
        assert offset_at(since, berlin) == after
    assert list(spans_of_offset(begin, end, ZoneInfo("Asia/Shanghai"))) == [(begin, end, 28800)]
