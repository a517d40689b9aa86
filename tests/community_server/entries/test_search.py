"""What is looked for in the log is found: all of it, nothing else, and each entry on one page."""

import random
from dataclasses import replace
from typing import Any, Final

import pytest

from access_rules.alarms import EntryRemark
from community_server.entries import search
from community_server.entries.filters import CHOICES, Filters
from community_server.entries.pages import read_page
from community_server.entries.search import Place, Search, newest_behind, read_place
from community_server.entries.service import ShownEntry
from community_server.entries.tables import Entry
from community_server.estate import Estate
from tests.community_server.entries.log import AT, Log
from tier_link.estate_messages import EntryRemarked

COUNT: Final = 260
SPAN: Final = 40 * 3600


@pytest.fixture(scope="module")
def log(estate: Estate) -> Log:
    """A log of two days at three doors, told in no order of time."""
    log, draw = Log(estate), random.Random(1)
    doors = [log.door(f"Gate {number}") for number in range(3)]
    people = [log.person(f"Person {number}", f"1-{number}") for number in range(6)]
    for _ in range(COUNT):
        door = draw.choice(doors)
        entry = log.entry(door, AT + draw.randrange(SPAN), **_drawn(draw, people))
        if draw.random() < 0.1:
            log.tell(door, EntryRemarked(entry, draw.choice(list(EntryRemark))))
    return log


def _drawn(draw: random.Random, people: list[str]) -> dict[str, Any]:
    known, granted = draw.random() < 0.7, draw.random() < 0.7
    return {
        "person": draw.choice(people) if known else "",
        "category": draw.choice(["resident", "visitor"]) if known else "",
        "credential": draw.choice(["face", "pin", "card"] if known else ["face", "none"]),
        "direction": draw.choice(["in", "out"]),
        "granted": granted,
        "reason": "within-rules" if granted else draw.choice(["suspended", "face-unclear"]),
        "matched": draw.choice(["local", "remote", ""]),
        "time_known": draw.random() < 0.95,
    }


def _filters(draw: random.Random, rows: list[ShownEntry]) -> Filters:
    wanted: dict[str, Any] = {
        name: draw.choice(choices) for name, choices in CHOICES.items() if draw.random() < 0.2
    }
    if draw.random() < 0.3:
        wanted["door"] = draw.choice(rows).door
    if draw.random() < 0.3:
        wanted["since"] = AT + draw.randrange(SPAN)
    if draw.random() < 0.3:
        wanted["until"] = AT + draw.randrange(SPAN)
    if draw.random() < 0.3:
        everybody = sorted({row.person for row in rows if row.person})
        wanted["people"] = frozenset(draw.sample(everybody, draw.randrange(len(everybody))))
    return Filters(**wanted)


def _expected(rows: list[ShownEntry], filters: Filters) -> list[int]:
    ordered = sorted(rows, key=lambda row: (row.at, row.number), reverse=True)
    return [row.number for row in ordered if filters.matches(row)]


def test_every_filter_finds_what_it_says_and_nothing_else(log: Log) -> None:
    draw, found, rows = random.Random(3), 0, log.everything()
    for _ in range(120):
        filters = _filters(draw, rows)
        expected = _expected(rows, filters)
        with log.estate.reading() as session:
            assert Search(session, filters).numbers(10_000) == expected, filters
            assert Search(session, filters).numbers(7) == expected[:7], filters
        found += len(expected)
    assert found > 300


def test_pages_lead_through_the_whole_log_and_back(log: Log) -> None:
    rows = log.everything()
    for filters in (Filters(), Filters(result="refused"), _filters(random.Random(7), rows)):
        expected = _expected(rows, filters)
        older, newer = _walk(log, filters)
        assert older == expected
        assert newer == expected[: len(newer)]


def _walk(log: Log, filters: Filters) -> tuple[list[int], list[int]]:
    older: list[int] = []
    with log.estate.reading() as session:
        page = read_page(session, str, filters, limit=16)
        assert page.newer == ""
        older += [entry.number for entry in page.entries]
        while page.older:
            page = read_page(session, str, filters, start=read_place(page.older), limit=16)
            older += [entry.number for entry in page.entries]
        newer = [entry.number for entry in page.entries]
        while page.newer:
            start = read_place(page.newer)
            page = read_page(session, str, filters, start=start, newer=True, limit=16)
            newer = [*(entry.number for entry in page.entries), *newer]
    # The way back ends with the newest page, full, which may show some of the last one again.
    return older, list(dict.fromkeys(newer))


def test_many_people_are_found_whether_they_came_lately_or_long_ago(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW_PEOPLE", 2)
    rows = log.everything()
    everybody = frozenset(row.person for row in rows if row.person)
    for along in (10, 10_000):
        monkeypatch.setattr(search, "LOOKED_ALONG", along)
        for people in (everybody, frozenset(sorted(everybody)[:3])):
            for filters in (Filters(people=people), Filters(people=people, result="refused")):
                expected = _expected(rows, filters)
                with log.estate.reading() as session:
                    assert Search(session, filters).numbers(50) == expected[:50]
                    start = Place(AT * 1000, 0)
                    found = Search(session, filters, start, newer=True).numbers(9)
                assert found == expected[::-1][:9]


def test_hours_that_were_emptied_do_not_end_a_search(log: Log) -> None:
    """Entries are deleted one day; what was counted of them stays."""
    door = log.door("Emptied")
    kept = log.entry(door, AT + 100)
    gone = [log.entry(door, AT + 100 + hour * 3600) for hour in range(1, 9)]
    with log.estate.changer.change() as change:
        for entry in gone:
            row = next(one for one in log.everything() if one.entry == entry)
            change.session.delete(change.session.get_one(Entry, row.number))
    with log.estate.reading() as session:
        page = read_page(session, str, Filters(door=door), limit=5)
    assert [entry.entry for entry in page.entries] == [kept]


def test_an_arrival_is_news_only_to_who_looks_for_it(log: Log) -> None:
    door = log.door("News")
    before = log.everything()[-1].number
    log.entry(door, AT - 10 * SPAN, granted=False)  # a door that was offline tells late
    with log.estate.reading() as session:
        behind = newest_behind(session, Filters(door=door), before)
        assert behind == log.everything()[-1].number
        assert newest_behind(session, Filters(door=door, result="granted"), before) is None
        assert newest_behind(session, Filters(people=frozenset({"a" * 32})), before) is None


def test_a_filter_of_no_kind_asks_for_no_hours() -> None:
    filters = Filters(since=1, until=2, remark="tailgating", people=frozenset())
    assert not filters.is_kind
    assert replace(filters, matched="local").is_kind


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "a.b", "-1.2", "1" * 50 + ".1"])
def test_what_names_no_place_begins_with_the_newest(text: str) -> None:
    assert read_place(text) is None
    assert read_place("1795000000000.42") == Place(1_795_000_000_000, 42)
