"""Whoever was not let in is told why, and what to do; for every reason that doors have."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from access_rules.decision import DecisionReason
from community_server.access.holidays import Day
from community_server.access.routes import drop_day, save_days, save_group, save_schedule
from community_server.access.schedules import Week
from community_server.access.service import GroupWanted
from community_server.database import now
from community_server.entries.why import GRANTING, Standing, standing
from community_server.estate import Estate
from community_server.people.routes import ListedPerson, PersonChange, alter
from community_server.people.service import issue_pin, suspend_person
from tests.community_server.bench import STAFF
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess, code
from tier_link.estate_messages import HolidayRule, WeeklyWindow

HOUR = 3600


@pytest.fixture(scope="module")
def database() -> str:
    """SQLite alone: what differs between databases is tested with the search."""
    return ""


@pytest.fixture(scope="module")
def log(estate: Estate) -> Log:
    return Log(estate)


@pytest.fixture(scope="module")
def desk(estate: Estate) -> Iterator[InProcess]:
    with InProcess(estate) as desk:
        yield desk


def test_refusals_of_one_person_come_with_words_and_what_stands_in_the_way(
    log: Log, desk: InProcess
) -> None:
    gate, person = log.door("North gate"), log.person("Wen Li", "9-1")
    moment = now()
    log.entry(gate, moment - 60, person=person, granted=False, reason="suspended")
    log.entry(gate, moment - 40 * HOUR, person=person, granted=False, reason="suspended")
    log.entry(gate, moment - 30, person=person)
    with log.estate.changer.change() as change:
        issue_pin(change, person)
        suspend_person(change, person, suspended=True)
    answer = desk.call("entries/why", who="wen li")
    assert answer["person"] == person
    (refusal,) = answer["refusals"]
    assert (refusal["entry"]["reason"], refusal["entry"]["door_name"]) == (
        "suspended",
        "North gate",
    )
    assert "suspended" in refusal["why"]
    assert refusal["advice"]
    assert [one["code"] for one in answer["obstacles"]] == ["suspended", "no-face"]
    assert log.audit("why-not")[-1] == (person, "")


def test_openings_are_nobodys_business_here(log: Log, desk: InProcess) -> None:
    gate, person = log.door("Gate"), log.person("Open Only", "9-2")
    log.entry(gate, now() - 60, person=person)
    answer = desk.call("entries/why", person=person)
    assert answer["refusals"] == []
    page = desk.get("/entries/why", person=person).text
    assert "<time" not in page.partition('data-testid="why-refusals"')[2].partition("</section>")[0]


def test_somebody_the_door_did_not_know_is_found_by_time_and_door(
    log: Log, desk: InProcess
) -> None:
    gate, other = log.door("East gate"), log.door("West gate")
    moment = now() - 5 * HOUR
    seen = log.entry(gate, moment + 600, granted=False)
    log.entry(gate, moment + HOUR, granted=False)
    log.entry(other, moment, granted=False)
    log.entry(gate, moment, granted=False, credential="none", reason="refused-by-staff")
    answer = desk.call("entries/why", near=str(moment), door=gate)
    assert [one["entry"]["entry"] for one in answer["unknown"]] == [seen]
    assert answer["person"] == ""


def test_an_entry_of_the_log_is_explained_and_leads_to_its_person(
    log: Log, desk: InProcess
) -> None:
    gate, person = log.door("South gate"), log.person("Only Out", "9-3")
    entry = log.entry(gate, now() - 90, person=person, granted=False, reason="wrong-direction")
    answer = desk.call("entries/why", entry=entry)
    assert answer["entry"]["entry"]["entry"] == entry
    assert (answer["person"], answer["name"]) == (person, "Only Out")
    assert code(desk.get("/api/v1/entries/why", entry="f" * 32)) == "entry-unknown"
    assert code(desk.get("/api/v1/entries/why", person="f" * 32)) == "person-unknown"


def test_a_name_of_several_people_asks_which_and_looks_at_nobody(log: Log, desk: InProcess) -> None:
    for unit in ("8-1", "8-2"):
        log.person("Same Name", unit)
    before = log.audit("why-not")
    answer = desk.call("entries/why", who="Same Name")
    assert (answer["count"], answer["person"]) == (2, "")
    assert {one["unit"] for one in answer["several"]} == {"8-1", "8-2"}
    assert log.audit("why-not") == before
    nobody = desk.get("/entries/why", who="Not Known Here")
    assert 'data-testid="why-nobody"' in nobody.text


def test_what_is_older_than_two_days_is_not_looked_for(log: Log, desk: InProcess) -> None:
    gate, person = log.door("Gate"), log.person("Long Ago", "9-4")
    moment = now() - 3 * 24 * HOUR
    entry = log.entry(gate, moment, person=person, granted=False, reason="suspended")
    log.entry(gate, moment + 60, person=person, granted=False, reason="suspended")
    answer = desk.call("entries/why", entry=entry)
    assert answer["old"]
    assert (answer["refusals"], answer["unknown"]) == ([], [])
    assert answer["entry"]["why"]  # the one that was clicked is on the page before it anyway


def test_a_door_that_was_cut_off_is_said_to_have_been(log: Log, desk: InProcess) -> None:
    gate, person = log.door("Far gate"), log.person("Cut Off", "9-5")
    log.entry(gate, now() - 2 * HOUR, person=person, granted=False, reason="lease-over")
    (refusal,) = desk.call("entries/why", person=person)["refusals"]
    (fact,) = refusal["evidence"]
    assert fact["code"] == "arrived-late"
    assert "120 minutes" in fact["text"]


def test_both_languages_have_words_and_advice(log: Log, desk: InProcess) -> None:
    gate, person = log.door("Gate"), log.person("Both Tongues", "9-6")
    for reason in set(DecisionReason) - GRANTING:
        log.entry(gate, now() - 60, person=person, granted=False, reason=reason.value)
    log.entry(gate, now() - 59, person=person, granted=False, reason="made-up-tomorrow")
    said = {}
    for language in ("en", "zh-CN"):
        page = desk.get("/entries/why", language=language, person=person)
        assert page.status_code == 200
        said[language] = page.text
        assert page.text.count('class="refusal"') == 20
    assert said["en"] != said["zh-CN"]


def listed(**more: Any) -> ListedPerson:
    fields: dict[str, Any] = dict.fromkeys(ListedPerson.model_fields, 0)
    fields |= dict.fromkeys(("person", "name", "unit", "category", "state"), "x")
    flags = ("suspended", "has_face", "face_outdated", "face_fading", "has_pin", "has_pass")
    fields |= dict.fromkeys((*flags, "second_credential", "waiting", "erased_then"), False)
    fields |= dict.fromkeys(("household", "external_id", "company", "company_name"), "")
    fields |= {"company_suspended": False, "groups": []}
    return ListedPerson(**(fields | more))


@pytest.mark.parametrize(
    ("person", "codes"),
    [
        (listed(has_face=True, face_photos=3), []),
        (listed(has_face=True, face_photos=1), ["one-photo"]),
        (listed(has_face=True, face_photos=1, face_fading=True), ["face-fading"]),
        (listed(face_outdated=True), ["face-outdated"]),
        (listed(has_pin=True), ["no-face"]),
        (listed(cards=1), ["no-face"]),
        (listed(), ["nothing-to-show"]),
        (listed(invited_until=2000), ["invited"]),
        (listed(invited_until=500), ["link-over"]),
        (listed(invited_until=500, waiting=True), ["waiting"]),
        (listed(has_face=True, suspended=True), ["suspended"]),
        (listed(has_face=True, valid_from=2000), ["not-yet-valid"]),
        (listed(has_face=True, valid_until=999), ["validity-over"]),
        (listed(has_face=True, second_credential=True), ["needs-pin-none"]),
        (listed(has_face=True, second_credential=True, has_pin=True), ["needs-pin"]),
    ],
)
def test_what_stands_in_somebodys_way_is_named(person: ListedPerson, codes: list[str]) -> None:
    found: Standing = standing(person, None, {}, [], 1000, "")
    assert [one.code for one in found.obstacles] == codes
    assert found.every_door


def test_access_now_goes_by_groups_schedules_and_holidays(log: Log, desk: InProcess) -> None:
    estate = log.estate
    east, west = log.door("East hours"), log.door("West hours")
    person = log.person("Late Riser", "9-9")
    zone = ZoneInfo(estate.settings.time_zone)
    today = datetime.now(zone).date()
    # Neither today nor a night that begins yesterday or ends tomorrow, also around midnight.
    other = 1 << (today + timedelta(days=3)).weekday()

    def limit(*doors: str, mask: int, on_holidays: HolidayRule = "usual") -> None:
        name = secrets.token_hex(4)
        week = Week(name, (WeeklyWindow(mask, 0, 1440),), on_holidays)
        schedule = save_schedule(estate, week, STAFF)
        wanted = GroupWanted(name, every_door=False, doors=frozenset(doors), schedule=schedule)
        group = save_group(estate, wanted, STAFF)
        alter(estate, person, PersonChange(groups=[group]), STAFF)

    def obstacles(**about: str) -> list[str]:
        found = desk.call("entries/why", person=person, **about)["obstacles"]
        hours = {"no-door", "outside-hours", "on-holiday", "hours-everywhere", "holiday-everywhere"}
        return [one["code"] for one in found if one["code"] in {*hours, "not-this-door"}]

    limit(east, west, mask=127)
    assert obstacles() == obstacles(door=east) == []
    limit(east, west, mask=other)
    assert obstacles() == ["hours-everywhere"]
    assert obstacles(door=east) == ["outside-hours"]
    limit(east, mask=other)
    assert obstacles() == ["outside-hours"]
    assert obstacles(door=west) == ["not-this-door"]
    limit(mask=127)
    assert obstacles() == ["no-door"]
    limit(east, west, mask=127, on_holidays="closed")
    days = [today + timedelta(days=ahead) for ahead in (-1, 0, 1)]
    save_days(estate, [Day(one.isoformat(), "Feast", "holiday") for one in days], STAFF)
    try:
        assert obstacles() == ["holiday-everywhere"]
        assert obstacles(door=west) == ["on-holiday"]
        assert "holiday" in desk.get("/entries/why", person=person).text
    finally:
        for one in days:
            drop_day(estate, one.isoformat(), STAFF)
