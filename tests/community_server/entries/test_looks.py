"""Nobody's way is followed without a stated reason, which is written to the audit log."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.entries.looks import LASTS
from community_server.entries.tables import EntryLook
from community_server.estate import Estate
from community_server.staff.accounts import add_staff
from community_server.staff.passwords import hash_password
from community_server.staff.permissions import Role
from tests.community_server.bench import PASSWORD
from tests.community_server.entries.log import AT, Log
from tests.community_server.in_process import InProcess, code

NOTE = "the bicycle of Mrs Zhou"


@pytest.fixture(scope="module")
def database() -> str:
    """SQLite alone: what differs between databases is tested with the search."""
    return ""


@pytest.fixture(scope="module")
def log(estate: Estate) -> Log:
    log = Log(estate)
    gate = log.door("Gate")
    for number, name in enumerate(("Zhou Mei", "Zhou Jun", "Ada Lovelace")):
        person = log.person(name, f"7-{number // 2}")
        log.entry(gate, AT + number, person=person)
        log.entry(gate, AT + 10 + number, person=person, granted=False, reason="suspended")
    log.entry(gate, AT + 50, granted=False)
    return log


@pytest.fixture(scope="module")
def desk(estate: Estate) -> Iterator[InProcess]:
    with InProcess(estate) as desk:
        yield desk


def look(desk: InProcess, **body: str) -> str:
    answer = desk.send("entries/looks", {"reason": "incident", **body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["look"])


def names(answer: Any) -> list[str]:
    return [entry["name"] for entry in answer["entries"]]


def test_a_name_a_unit_and_an_id_need_a_reason_and_nothing_else_does(
    log: Log, desk: InProcess
) -> None:
    for whom in ({"who": "Zhou Mei"}, {"who": "7-0"}, {"person": "a" * 32}):
        assert code(desk.get("/api/v1/entries/search", **whom)) == "look-reason-needed"
        assert code(desk.get("/api/v1/entries/export", **whom)) == "look-reason-needed"
        assert code(desk.get("/api/v1/entries/stream", **whom)) == "look-reason-needed"
        page = desk.get("/entries", **whom)
        assert page.status_code == 200
        assert 'data-testid="look-form"' in page.text
        assert "<time" not in page.text.split("look-form")[1]
    assert len(desk.call("entries/search", result="refused")["entries"]) >= 4
    assert log.audit("look-at-entries") == []


def test_a_stated_reason_shows_just_those_people_and_stands_in_the_audit_log(
    log: Log, desk: InProcess
) -> None:
    stated = look(desk, who="zhou me", note=NOTE)
    answer = desk.call("entries/search", who="Zhou  Mei", look=stated)
    assert names(answer) == ["Zhou Mei", "Zhou Mei"]
    (person,) = {entry["person"] for entry in answer["entries"]}
    assert log.audit("look-at-entries")[-1] == (person, f"incident {stated} people=1")
    refused = desk.call("entries/search", person=person, look=stated, result="refused")
    assert len(refused["entries"]) == 1
    assert code(desk.get("/api/v1/entries/search", who="Zhou", look=stated)) == "look-reason-needed"


def test_a_household_is_meant_by_its_unit_and_everybody_in_it_is_named_in_the_audit(
    log: Log, desk: InProcess
) -> None:
    before = len(log.audit("look-at-entries"))
    stated = look(desk, who="7-0")
    assert set(names(desk.call("entries/search", who="7-0", look=stated))) == {
        "Zhou Mei",
        "Zhou Jun",
    }
    rows = log.audit("look-at-entries")[before:]
    assert len({person for person, _ in rows}) == 2


def test_what_staff_wrote_is_sealed_and_not_in_the_audit_log(log: Log, desk: InProcess) -> None:
    stated = look(desk, who="Ada Lovelace", note=NOTE)
    with Session(log.estate.engine) as session:
        row = session.get_one(EntryLook, stated)
        assert row.note is not None
        assert b"bicycle" not in bytes(row.note)
    assert not any("bicycle" in detail for _, detail in log.audit("look-at-entries"))


def test_a_reason_holds_for_an_hour_and_for_whoever_stated_it(
    log: Log, desk: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = look(desk, who="Ada Lovelace")
    with log.estate.changer.change() as change:
        add_staff(change.session, "night", hash_password(PASSWORD), Role.GUARD)
    whom = {"who": "Ada Lovelace", "look": stated}
    with InProcess(log.estate, "night") as other:
        assert code(other.get("/api/v1/entries/search", **whom)) == "look-reason-needed"
    assert names(desk.call("entries/search", **whom)) == ["Ada Lovelace"] * 2
    moment = now()
    monkeypatch.setattr("community_server.entries.looks.now", lambda: moment + LASTS + 1)
    assert code(desk.get("/api/v1/entries/search", **whom)) == "look-reason-needed"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"who": "Ada Lovelace", "reason": "curiosity"}, "reason-missing"),
        ({"who": "Ada Lovelace", "reason": "other", "note": " "}, "note-missing"),
        ({"who": "Ada Lovelace", "note": "x" * 201}, "note-long"),
        ({"who": "Nobody Atall"}, "nobody-meant"),
        ({}, "nobody-meant"),
    ],
)
def test_without_a_good_reason_nothing_is_noted(
    log: Log, desk: InProcess, body: dict[str, str], refusal: str
) -> None:
    before = log.audit("look-at-entries")
    assert code(desk.send("entries/looks", {"reason": "incident", **body})) == refusal
    assert log.audit("look-at-entries") == before


def test_the_page_asks_shows_and_keeps_the_filters(log: Log, desk: InProcess) -> None:
    asks = desk.submit("/entries/looks?who=Ada+Lovelace&result=refused", why="other", note="")
    assert asks.status_code == 422
    assert 'data-code="note-missing"' in asks.text
    shown = desk.submit("/entries/looks?who=Ada+Lovelace&result=refused", why="fault")
    assert shown.status_code == 200
    assert shown.url.params["result"] == "refused"
    assert shown.url.params["look"]
    assert 'data-testid="look-noted"' in shown.text
    assert len(re.findall(r'<tr id="entry-', shown.text)) == 1
    (live,) = re.findall(r'hx-get="(/entries/live[^"]*)"', shown.text)
    live = live.replace("&amp;", "&")
    assert desk.get(live).status_code == 204
    log.entry(log.door("Gate 2"), AT + 90, person="b" * 32, granted=False)
    assert desk.get(live).status_code == 204


def test_an_address_is_kept_without_what_is_empty(desk: InProcess) -> None:
    kept = desk.get("/entries", who="", door="", result="refused", since="")
    assert str(kept.url).endswith("/entries?result=refused")
    assert kept.status_code == 200


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"reason": "no-such"}, "filter-unknown"),
        ({"since": "yesterday"}, "time-unreadable"),
        ({"until": "9" * 20}, "time-unreadable"),
    ],
)
def test_a_filter_that_is_none_is_named(
    desk: InProcess, query: dict[str, str], refusal: str
) -> None:
    assert code(desk.get("/api/v1/entries/search", **query)) == refusal
    page = desk.get("/entries", **query)
    assert page.status_code == 422
    assert f'data-code="{refusal}"' in page.text


@pytest.mark.usefixtures("log")
def test_times_are_read_as_seconds_and_by_the_estates_clock(desk: InProcess) -> None:
    seconds = desk.call("entries/search", since=str(AT + 50), until=str(AT + 51))
    local = desk.call("entries/search", since="2026-11-18T19:07:30", until="2026-11-18T19:07:31")
    assert len(seconds["entries"]) == 1
    assert seconds == local
