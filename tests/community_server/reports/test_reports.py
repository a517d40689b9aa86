"""A day is summed up, signed once by name, and what was signed stays as it was."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.tables import Alarm
from community_server.database import now
from community_server.estate import Estate
from community_server.lockdown.service import declare
from community_server.openings.service import Wish, note_order
from community_server.reports.service import span_of
from community_server.reports.tables import DailyReport
from tests.community_server.bench import STAFF
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess, code

ZONE = ZoneInfo("Asia/Shanghai")
NOTE = "Mrs Zhou's bicycle was found"


def day_before(days: int) -> tuple[str, int]:
    """Return a past day and its beginning."""
    day = (datetime.now(ZONE) - timedelta(days=days)).date().isoformat()
    return day, span_of(day, ZONE).begin


@pytest.fixture(scope="module")
def log(estate: Estate) -> Log:
    return Log(estate)


@pytest.fixture(scope="module")
def desk(estate: Estate) -> Iterator[InProcess]:
    with InProcess(estate) as desk:
        yield desk


def figures(desk: InProcess, day: str) -> Any:
    return desk.call(f"reports/{day}")["figures"]


def test_a_day_is_summed_up_by_door_kind_and_reason(log: Log, desk: InProcess) -> None:
    day, begin = day_before(2)
    gate, yard = log.door("A gate"), log.door("B yard")
    log.entry(gate, begin, person="a" * 32)
    log.entry(gate, begin + 86399.9, person="a" * 32, category="visitor")
    log.entry(gate, begin + 5, granted=False)
    log.entry(yard, begin + 6, credential="none", reason="exit-button")
    for outside in (begin - 1, begin + 86400):
        log.entry(yard, outside, person="a" * 32)
    found = figures(desk, day)
    assert (found["granted"], found["refused"]) == (3, 1)
    assert found["doors"] == [
        {"name": "A gate", "granted": 2, "refused": 1},
        {"name": "B yard", "granted": 1, "refused": 0},
    ]
    assert {row["name"]: (row["granted"], row["refused"]) for row in found["categories"]} == {
        "inside": (1, 0),
        "resident": (1, 0),
        "unknown": (0, 1),
        "visitor": (1, 0),
    }
    assert found["refusals"] == [{"name": "not-recognized", "count": 1}]


def test_a_day_tells_of_alarms_calls_openings_and_doors_away(log: Log, desk: InProcess) -> None:
    day, begin = day_before(3)
    gate = log.door("Far gate")
    with log.estate.changer.change() as change:
        for kind, since, until in (
            (AlarmKind.HELD_OPEN, begin + 10, begin + 20),
            (AlarmKind.CALL_MISSED, begin + 10, begin + 11),
            (AlarmKind.DOOR_OFFLINE, begin - 3600, begin + 1800),
            (AlarmKind.DOOR_OFFLINE, begin + 86400 + 300, begin + 86400 + 900),
        ):
            change.session.add(
                Alarm(
                    alarm=secrets.token_hex(16),
                    door_id=gate,
                    kind=kind.value,
                    raised_at=since * 1000,
                    cleared_at=until * 1000,
                    time_known=True,
                    received_at=since,
                )
            )
        note_order(change, gate, STAFF, Wish("delivery"), entry=secrets.token_hex(16))
        call = secrets.token_hex(16)
        note_order(change, gate, STAFF, Wish("visitor"), entry=secrets.token_hex(16), call=call)
        refusal = secrets.token_hex(16)
        note_order(change, gate, STAFF, Wish("unknown"), entry=refusal, call=call, refused=True)
        declare(change, log.estate.links, STAFF, active=True, reason="drill")
        declare(change, log.estate.links, STAFF, active=False, reason="")
    found = figures(desk, day)
    assert found["alarms"] == [{"name": "held-open", "count": 1}]
    # The second alarm was raised after midnight: that door was away from ten minutes before on.
    assert found["away"] == [{"name": "Far gate", "seconds": 1800 + 300}]
    assert found["calls_missed"] == 1
    today = figures(desk, datetime.now(ZONE).date().isoformat())
    assert {row["name"]: row["count"] for row in today["openings"]} == {"delivery": 1, "visitor": 1}
    assert (today["calls_opened"], today["calls_refused"]) == (1, [{"name": "unknown", "count": 1}])
    assert [one["active"] for one in today["lockdowns"]] == [True, False]


def test_signing_freezes_the_figures_and_says_what_came_later(log: Log, desk: InProcess) -> None:
    day, begin = day_before(5)
    gate = log.door("Gate")
    log.entry(gate, begin + 60)
    before = figures(desk, day)
    assert desk.send(f"reports/{day}/signature", {"note": NOTE}).status_code == 204
    log.entry(gate, begin + 120)  # of a door that had been offline
    signed = desk.call(f"reports/{day}")
    assert signed["figures"] == before
    assert signed["arrived_since"] == 1
    assert (signed["signature"]["by"], signed["signature"]["note"]) == ("desk", NOTE)
    assert log.audit("sign-report") == [(day, "")]
    assert code(desk.send(f"reports/{day}/signature", {})) == "report-signed"
    assert log.audit("sign-report") == [(day, "")]
    with Session(log.estate.engine) as session:
        row = session.get_one(DailyReport, day)
        assert row.note is not None
        assert b"bicycle" not in bytes(row.note)


def test_only_a_day_that_is_over_can_be_signed(desk: InProcess) -> None:
    today, tomorrow = datetime.now(ZONE).date(), datetime.now(ZONE).date() + timedelta(days=1)
    assert code(desk.send(f"reports/{today}/signature", {})) == "day-not-over"
    for none in (tomorrow, "2026-02-30", "yesterday", "20261118", "0001-01-01x"):
        assert code(desk.send(f"reports/{none}/signature", {})) == "day-unknown"
        assert desk.get(f"/entries/days/{none}").status_code == 404
    day, _ = day_before(4)
    assert code(desk.send(f"reports/{day}/signature", {"note": "x" * 501})) == "report-note-long"


def test_days_without_a_signature_are_listed(log: Log, desk: InProcess) -> None:
    _, begin = day_before(9)
    log.entry(log.door("First gate"), begin + 60)
    day, _ = day_before(8)
    assert desk.submit(f"/entries/days/{day}", note="quiet").status_code == 200
    days = {row["day"]: row for row in desk.call("reports")}
    assert len(days) >= 10
    assert days[day]["by"] == "desk"
    assert days[day_before(9)[0]]["by"] == ""
    assert (days[day_before(9)[0]]["granted"], days[day_before(9)[0]]["over"]) == (1, True)
    assert not days[datetime.now(ZONE).date().isoformat()]["over"]
    page = desk.get("/entries/days").text
    assert 'data-testid="days-open"' in page


def test_a_day_is_as_long_as_the_clock_makes_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        span = span_of(day, berlin)
        assert span.end - span.begin == hours * 3600
        assert span.begin < now()
