"""Every page of the desk, in both languages and themes, on a phone: axe finds no serious fault.

A page that is missing from the list below fails the test: whoever adds one adds it here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, Page, expect

from community_server.console.routes import router
from face_engine.models import FacePack
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import sample_people
from tests.browser.axe import faults
from tests.browser.console import DESKTOP, PHONE, Desk
from tests.browser.doors_at_desk import DoorAtDesk, door_at, staff_of
from tests.browser.shots import shoot
from tier_link.estate_messages import EntryRecorded

PAGES: Final = (
    *("/", "/night", "/approvals", "/people", "/people/{person}", "/people/{person}/removal"),
    *("/visitors", "/doors", "/doors/{door}", "/doors/{door}/removal", "/doors/{door}/opening"),
    *(
        "/entries",
        "/entries/why",
        "/entries/export",
        "/entries/days",
        "/entries/days/{day}",
        "/entries/analysis",
    ),
    *("/alarms", "/alarms/{alarm}", "/alarms/rules", "/calls/{call}", "/cloud"),
    *("/backups", "/keys", "/ledger"),
    *("/webhooks", "/webhooks/{webhook}/removal", "/lockdown"),
    *("/staff", "/staff/{account}", "/tokens", "/audit", "/account", "/officer/retention"),
    *("/officer", "/officer/looks", "/officer/people/{person}", "/officer/assessment"),
    *("/officer/assessments/{number}", "/officer/sign"),
    *("/units", "/units/{unit}", "/groups", "/groups/new", "/groups/{group}", "/holidays"),
    *("/schedules", "/schedules/new", "/schedules/{schedule}"),
    *("/import", "/invitations", "/invitations/outbox"),
    *("/services", "/services/companies", "/services/companies/new"),
    *("/services/companies/{company}", "/erasures", "/consents"),
)
"""Pages behind the sign-in."""
OUTSIDE: Final = ("/login", "/welcome/{secret}", "/privacy")
"""Pages before it."""
FIRST: Final = "/setup"
"""The page before all others; it answers with the recovery kit."""
PARTS: Final = {
    *("/overview/live", "/night/live", "/approvals/badge", "/approvals/news", "/doors/live"),
    *("/doors/{door}/health", "/entries/live", "/alarms/live", "/alarms/badge", "/alarms/banner"),
    *("/calls/banner", "/calls/{call}/live", "/calls/{call}/still", "/cloud/live", "/ca.pem"),
    *("/lockdown/live", "/lockdown/banner", "/import/template", "/services/inside"),
    "/officer/people/{person}/file",
    "/keys/retired",
    "/visitors/badge",
    "/ledger/live",
    "/entries/export/{form}",
    *("/entries/{entry}/snapshot", "/erasures/{erasure}/receipt"),
}
"""What is asked for by pages, and is none."""
LOOKS: Final = [("en", "light"), ("zh-CN", "dark"), ("en", "dark"), ("zh-CN", "light")]


@dataclass
class Furnished:
    """An estate in which every page has something to show."""

    desk: Desk
    door: DoorAtDesk
    ids: Mapping[str, str]


@pytest.fixture(scope="module")
def furnished(
    browser: Browser, pack: FacePack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Furnished]:
    folder = tmp_path_factory.mktemp("estate")
    with LocalEstate(folder) as estate:
        estate.start_cloud()
        estate.start_server()
        desk = Desk(estate, browser)
        for language, scheme in LOOKS:
            with desk.page(
                signed_in=False, language=language, color_scheme=scheme, viewport=PHONE
            ) as page:
                page.goto("/setup")
                assert look(page, f"{language}_{scheme}", "setup") == []
        kit: list[str] = []
        desk.set_up(lambda page: kit.extend(look(page, "en_light", "kit")))
        assert kit == []
        with door_at(desk, "北门 North gate", folder / "door") as door, door.ringing() as call:
            yield Furnished(desk, door, {"call": call} | furnish(desk, door, pack))


def furnish(desk: Desk, door: DoorAtDesk, pack: FacePack) -> dict[str, str]:
    """Let happen what pages tell of; return the ids that stand in their addresses."""
    with staff_of(desk) as staff:
        resident = {"kind": "resident", "unit": "3-1-502"}
        invited = staff.call("POST", "invitations", resident | {"name": "林梅 Lin Mei"})
        staff.call("POST", f"people/{invited['person']}/cards", {"number": "0012345678"})
        newcomer = staff.call("POST", "invitations", resident | {"name": "陈"})
        gone = staff.call("POST", "invitations", resident | {"name": "去"})["person"]
        staff.call("DELETE", f"people/{gone}")
        webhook = staff.call(
            "POST", "webhooks", {"name": "物业 Management", "url": "https://hooks.example/in"}
        )["webhook"]
        staff.call("POST", f"webhooks/{webhook}/test")
        alarm = door.alarm("forced-open").alarm
        over = door.alarm("held-open")
        door.end(over)
        for number, granted in enumerate((True, False), 1):
            door.terminal.send(entry(number, invited["person"], granted=granted))
        desk.enroll(newcomer["link"], [sample_people(pack)[0].portrait])
        wait_for("both alarms", lambda: len(staff.call("GET", "alarms")) >= 2)
        staff.call("POST", f"alarms/{over.alarm}/acknowledge", {"note": "门已关好 shut again"})
        wait_for("the newcomer", lambda: staff.call("GET", "approvals"))
        account = staff.call("GET", "staff")[0]["staff"]
        night = {"days": ["friday", "saturday"], "from": "22:00", "until": "06:00"}
        week = {"name": "夜间 Nights", "hours": [night], "on_holidays": "closed"}
        schedule = staff.call("POST", "schedules", week)["schedule"]
        group = {"name": "夜班 Night shift", "every_door": True, "schedule": schedule}
        number = staff.call("POST", "groups", group)["group"]
        unit = staff.call("GET", "households")[0]["household"]
        courier = {"new_company": "顺风快递 Tailwind", "name": "何 Mr He", "unit": "3-1-502"}
        company = staff.call("POST", "check-ins", courier)["company"]
        reached = {"controller": "阳光物业 Sunny Property", "contact": "0755-1234567"}
        staff.call("PUT", "privacy/details", reached)
        number = staff.call("POST", "privacy/assessments", {"name": "林 Lin"})["number"]
    return {
        "number": str(number),
        "form": "csv",
        "entry": "0" * 32,
        "erasure": "0" * 32,
        "door": door.door,
        "account": account,
        "day": "2026-11-18",
        "person": invited["person"],
        "alarm": alarm,
        "webhook": webhook,
        "unit": unit,
        "group": str(number),
        "schedule": schedule,
        "company": company,
    }


def entry(number: int, person: str, *, granted: bool) -> EntryRecorded:
    return EntryRecorded(
        entry=f"{number:032x}",
        door_sequence=number,
        at=1_795_000_000_000 + number,
        time_known=True,
        direction="in",
        person=person if granted else "",
        category="resident" if granted else "",
        credential="face",
        granted=granted,
        reason="within-rules" if granted else "not-recognized",
        matched="local",
        took_ms=420,
        frames=2,
    )


def test_every_page_there_is_stands_in_the_list() -> None:
    routes = {
        route.path for route in iter_route_contexts(router.routes) if "GET" in (route.methods or ())
    }
    pages = {*PAGES, *OUTSIDE, FIRST}
    assert pages | PARTS >= routes
    assert routes >= pages


@pytest.mark.long
@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_every_page_is_sound_fits_a_phone_and_speaks_the_readers_language(
    furnished: Furnished, language: str, scheme: str
) -> None:
    with furnished.desk.page(language=language, color_scheme=scheme, viewport=PHONE) as page:
        found: dict[str, list[str]] = {}
        for template in PAGES:
            answer = page.goto(template.format(**furnished.ids))
            assert answer is not None
            assert answer.ok, template
            assert page.locator("html").get_attribute("lang") == language
            assert page.locator("h1").count() == 1
            found[template] = look(page, f"{language}_{scheme}", template)
        page.goto("/people/" + "0" * 32)  # a refusal is a page, too
        found["problem"] = look(page, f"{language}_{scheme}", "problem")
        page.context.clear_cookies()
        for template in OUTSIDE:
            page.goto(template.format(secret="0" * 32))
            found[template] = look(page, f"{language}_{scheme}", template)
    assert {template: faults for template, faults in found.items() if faults} == {}


def look(page: Page, kind: str, template: str) -> list[str]:
    """Return what is wrong with one page as it stands, on a phone."""
    width = page.evaluate("document.documentElement.scrollWidth")
    fits = width <= (page.viewport_size or PHONE)["width"]
    found = [*faults(page), *(() if fits else too_wide(page))]
    name = re.sub(r"\W+", "_", template).strip("_") or "overview"
    shoot(page, f"{kind}_phone_{name}", full=True)
    page.set_viewport_size(DESKTOP)
    shoot(page, f"{kind}_desktop_{name}")
    page.set_viewport_size(PHONE)
    return found


def too_wide(page: Page) -> Sequence[str]:
    """Return what sticks out of a page."""
    found: Sequence[str] = page.evaluate(
        "[...document.querySelectorAll('body *')]"
        ".filter(one => one.getBoundingClientRect().right > innerWidth + 1)"
        ".map(one => `${one.tagName} ${one.className} ${one.getBoundingClientRect().right}`)"
    )
    return found


@pytest.mark.long
def test_on_a_phone_seldom_visited_rooms_wait_behind_one_word(furnished: Furnished) -> None:
    with furnished.desk.page(viewport=PHONE) as page:
        page.goto("/people")
        expect(page.get_by_test_id("nav-alarms")).to_be_visible()
        expect(page.get_by_test_id("nav-audit")).to_be_hidden()
        page.get_by_test_id("nav-more").click()
        page.get_by_test_id("nav-audit").click()
        expect(page.get_by_test_id("nav-audit")).to_be_visible()
        page.set_viewport_size(DESKTOP)
        expect(page.get_by_test_id("nav-doors")).to_be_visible()
        expect(page.get_by_test_id("nav-more")).to_be_hidden()


@pytest.mark.long
def test_what_is_no_page_is_a_part_of_one(furnished: Furnished) -> None:
    with staff_of(furnished.desk) as staff:
        for template in sorted(PARTS):
            answer = staff.http.get(template.format(**furnished.ids))
            assert answer.status_code < 500, template
            assert not (answer.is_success and answer.text.startswith("<!doctype html>")), template
