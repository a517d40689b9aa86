"""The analysis counts what happened, names what is unusual, and outlives the entries."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from community_server.analysis.figures import ENOUGH, FaceHours
from community_server.analysis.patterns import LASTS_S
from community_server.doors.tables import Door
from community_server.entries.tables import Entry
from community_server.estate import Estate
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess

ZONE = ZoneInfo("Asia/Shanghai")


def ago(days: int, hour: int) -> float:
    """Return the beginning of an hour of the estate's day, so many days ago."""
    at = datetime.now(ZONE).replace(hour=hour, minute=0, second=0, microsecond=0)
    return (at - timedelta(days=days)).timestamp()


@pytest.fixture(scope="module")
def log(estate: Estate) -> Log:
    return Log(estate)


@pytest.fixture(scope="module")
def desk(estate: Estate) -> Iterator[InProcess]:
    with InProcess(estate) as desk:
        yield desk


@pytest.fixture(autouse=True)
def _a_minute_later(estate: Estate) -> None:
    estate.patterns.forget()


def test_entries_are_counted_by_weekday_hour_door_kind_and_reason(
    log: Log, desk: InProcess
) -> None:
    gate = log.door("Counted")
    for minute in range(3):
        log.entry(gate, ago(2, 7) + 60 * minute, person="a" * 32)
    log.entry(gate, ago(9, 7), granted=False)
    log.entry(gate, ago(40, 7), granted=False)
    found = desk.call("analysis", days="30", door=gate)
    weekday = datetime.fromtimestamp(ago(2, 7), ZONE).weekday()
    assert found["hours"][weekday][7] == 4
    assert sum(map(sum, found["hours"])) == 4
    assert found["by_door"] == {gate: {"granted": 3, "refused": 1}}
    assert found["by_category"] == {
        "resident": {"granted": 3, "refused": 0},
        "unknown": {"granted": 0, "refused": 1},
    }
    assert found["refusals"] == {"not-recognized": 1}
    assert sum(map(sum, desk.call("analysis", days="90", door=gate)["hours"])) == 5


def test_the_counts_stay_when_the_entries_are_gone(log: Log, desk: InProcess) -> None:
    gate = log.door("Forgotten")
    log.entry(gate, ago(3, 9), person="c" * 32)
    before = desk.call("analysis", door=gate)
    with log.estate.changer.change() as change:
        change.session.execute(delete(Entry).where(Entry.door_id == gate))
    after = desk.call("analysis", door=gate)
    for what in ("hours", "by_door", "by_category", "refusals", "faces"):
        assert after[what] == before[what]
    counts = {name: after[name] for name in ("hours", "by_door", "by_category", "faces")}
    assert "c" * 32 not in json.dumps(counts)


def test_a_badly_lit_door_shows_by_its_hours(log: Log, desk: InProcess) -> None:
    gate = log.door("Dark gate")
    for hour, refused in ((8, 1), (12, 1), (19, 9), (20, 10)):
        messages = [
            log.message(
                ago(1 + number % 5, hour) + number,
                person="" if number < refused else "a" * 32,
                granted=number >= refused,
            )
            for number in range(ENOUGH)
        ]
        log.tell(gate, *messages)
    (faces,) = desk.call("analysis", days="7", door=gate)["faces"]
    assert faces["bad"] == [19, 20]
    assert (faces["seen"][19], faces["refused"][19]) == (20, 9)
    page = desk.get("/entries/analysis", days="7", door=gate).text
    assert 'data-testid="unusual-light"' in page


@pytest.mark.parametrize(
    ("seen", "refused"),
    [
        ((ENOUGH - 1,) * 24, (ENOUGH - 1, *(0,) * 23)),  # too few to say anything
        ((100,) * 24, (14, *(1,) * 23)),  # more than usual, and still few
        ((100,) * 24, (30,) * 24),  # bad at every hour: not the light's doing
    ],
)
def test_a_door_is_not_called_dark_for_nothing(
    seen: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    assert FaceHours("x", seen, refused).bad == ()


def test_many_refusals_of_one_person_are_told(log: Log, desk: InProcess) -> None:
    gate, person = log.door("Gate"), log.person("Often Refused", "6-1")
    seldom = log.person("Seldom Refused", "6-2")
    for number in range(5):
        log.entry(gate, ago(1, 10) + number, person=person, granted=False, reason="suspended")
        log.entry(gate, ago(1 + number, 11), person=seldom, granted=False, reason="suspended")
    found = desk.call("analysis")["patterns"]["refusals"]
    day = datetime.fromtimestamp(ago(1, 10), ZONE).date().isoformat()
    assert {"person": person, "day": day, "count": 5} in found
    assert seldom not in {one["person"] for one in found}
    assert "Often Refused" in desk.get("/entries/analysis").text


def test_what_stands_out_is_worked_out_once_a_minute(
    log: Log, desk: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, person = log.door("Gate"), log.person("Refused Anew", "6-3")

    def told() -> bool:
        found = desk.call("analysis", days="7")["patterns"]["refusals"]
        return person in {one["person"] for one in found}

    assert not told()
    for number in range(6):
        log.entry(gate, ago(1, 9) + number, person=person, granted=False, reason="suspended")
    assert not told()
    later = time.monotonic() + LASTS_S
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert told()


def test_a_door_at_an_odd_hour_is_told_and_a_new_one_is_not(log: Log, desk: InProcess) -> None:
    usual, new = log.door("Usual"), log.door("New")
    for day in range(8, 40):
        for hour in (8, 18):
            log.entry(usual, ago(day, hour), person="a" * 32)
    for number in range(3):
        for door in (usual, new):
            log.entry(door, ago(2 + number, 3), person="a" * 32)
        log.entry(usual, ago(2 + number, 4), credential="none", reason="exit-button")
        log.entry(usual, ago(2 + number, 8), person="a" * 32)
    found = desk.call("analysis")["patterns"]["odd_hours"]
    ours = [one for one in found if one["door"] in {usual, new}]
    assert ours == [{"door": usual, "hour": 3, "count": 3, "before": 0}]


def test_a_pass_at_two_doors_at_once_is_told_but_not_through_a_pair(
    log: Log, desk: InProcess
) -> None:
    here, there = log.door("Here"), log.door("There")
    way_in, way_out = log.door("In", "in"), log.door("Out", "out")
    with log.estate.changer.change() as change:
        for door in (way_in, way_out):
            change.session.get_one(Door, door).pair = "gate"
    lent, walker = log.person("Lent Pass", "5-1"), log.person("Walker", "5-2")
    by_pass = {"credential": "pass", "matched": "", "frames": 0}
    at = ago(1, 12)
    log.entry(here, at, person=lent, **by_pass)
    log.entry(there, at + 20, person=lent, **by_pass)
    log.entry(here, at, person=walker, **by_pass)
    log.entry(there, at + 61, person=walker, **by_pass)
    log.entry(way_in, at + 500, person=walker, **by_pass)
    log.entry(way_out, at + 510, person=walker, **by_pass)
    assert desk.call("analysis")["patterns"]["two_places"] == [
        {
            "person": lent,
            "doors": [here, there],
            "at": round((at + 20) * 1000),
            "apart_ms": 20_000,
        }
    ]


def test_an_estate_without_entries_says_so(log: Log, desk: InProcess) -> None:
    empty = desk.get("/entries/analysis", door=log.door("Empty"))
    assert empty.status_code == 200
    assert 'data-testid="analysis-empty"' in empty.text
