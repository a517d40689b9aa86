"""The entry log in a browser: searched by keyboard, live, explained, signed, seen at a glance."""

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from gatehouse.local_estate import wait_for
from tests.browser.console import DESKTOP, PHONE, Desk
from tests.browser.shots import shoot
from tests.community_server.doubles import DoorDouble
from tier_link.estate_messages import EntryRecorded

pytestmark = pytest.mark.long

ZONE: Final = ZoneInfo("Asia/Shanghai")
DAY: Final = 86400


@dataclass
class Told:
    """A door that tells entries, and whose."""

    terminal: DoorDouble
    person: str
    sequence: int = 0

    def tell(self, at: float, **more: Any) -> str:
        self.sequence += 1
        granted, person = more.get("granted", True), more.get("person", "")
        fields: dict[str, Any] = {
            "entry": secrets.token_hex(16),
            "door_sequence": self.sequence,
            "at": round(at * 1000),
            "time_known": True,
            "direction": "both",
            "person": person,
            "category": "resident" if person else "",
            "credential": "face",
            "granted": granted,
            "reason": "within-rules" if granted else "not-recognized",
            "matched": "local",
            "took_ms": 40,
            "frames": 2,
        }
        entry = EntryRecorded(**(fields | more))
        self.terminal.send(entry)
        return entry.entry


@pytest.fixture(scope="module")
def told(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A week at one gate, with a resident, strangers, and a dark corner in the evening."""
    with desk.page() as page:
        page.goto("/people")
        page.get_by_test_id("invite-name").fill("林梅 Lin Mei")
        page.get_by_test_id("invite-unit").fill("3-1-502")
        page.get_by_test_id("invite-submit").click()
        expect(page.get_by_test_id("invite-link")).to_be_visible()
        page.goto("/people")
        row = page.locator("tr[data-testid^=person-]")
        person = (row.get_attribute("data-testid") or "").removeprefix("person-")
        page.goto("/doors")
        page.get_by_test_id("door-name").fill("北门 North gate")
        page.get_by_test_id("door-add").click()
        page.locator("[data-testid^=door-pair-]").click()
        code = page.get_by_test_id("door-code").inner_text()
    folder = tmp_path_factory.mktemp("told") / "door"
    with DoorDouble(folder, desk.estate.server_address) as terminal:
        terminal.pair(code)
        terminal.connect()
        told = Told(terminal, person)
        morning = datetime.now(ZONE).replace(hour=8, minute=0) - timedelta(days=6)
        for day in range(5):
            for minute in range(25):
                at = morning.timestamp() + day * DAY + 60 * minute
                told.tell(at, person=person if minute % 5 == 0 else "", credential="face")
                told.tell(at + 12 * 3600, granted=minute % 3 != 0)
        told.tell(time.time() - 60, person=person, granted=False, reason="suspended")
        last = told.tell(time.time() - 50, granted=False, reason="face-unclear")
        with desk.page() as page:
            page.goto("/entries")
            expect(page.get_by_test_id(f"entry-{last}")).to_be_visible()
        yield told


def rows(page: Page) -> int:
    return page.locator("tr[data-testid^=entry-]").count()


def test_the_log_is_searched_by_keyboard_alone_and_its_address_can_be_kept(
    desk: Desk, told: Told
) -> None:
    with desk.page() as page:
        page.goto("/entries")
        page.get_by_test_id("filter-open").focus()
        page.keyboard.press("Enter")
        page.get_by_test_id("filter-result").focus()
        page.keyboard.press("R")  # Refused
        page.get_by_test_id("filter-reason").focus()
        page.keyboard.type("Face unc")
        page.keyboard.press("Enter")
        if "reason" not in page.url:
            page.get_by_test_id("filter-submit").press("Enter")
        page.wait_for_url(re.compile(r"reason=face-unclear"))
        assert "door=" not in page.url  # what is empty is not in the address
        expect(page.locator("tr[data-testid^=entry-]")).to_have_count(1)
        with desk.page(language="zh-CN") as other:
            other.goto(page.url)
            expect(other.locator("tr[data-testid^=entry-]")).to_have_count(1)
            expect(other.get_by_test_id("filter-result")).to_have_value("refused")
        # It goes on following what happens, but only what fits.
        told.tell(time.time())
        arrived = told.tell(time.time(), granted=False, reason="face-unclear")
        expect(page.get_by_test_id(f"entry-{arrived}")).to_be_visible()
        assert rows(page) == 2
        page.get_by_test_id("filter-clear").click()
        page.wait_for_url("**/entries")


def test_pages_lead_to_older_entries_and_back_to_the_newest(desk: Desk, told: Told) -> None:
    del told
    with desk.page() as page:
        page.goto("/entries")
        assert rows(page) == 100
        expect(page.get_by_test_id("newer")).to_have_count(0)
        page.get_by_test_id("older").click()
        page.wait_for_url("**/entries?older=*")
        expect(page.locator(".live")).to_have_count(0)
        page.get_by_test_id("older").click()
        expect(page.get_by_test_id("older")).to_have_count(0)
        page.get_by_test_id("newer").click()
        page.get_by_test_id("newest").click()
        page.wait_for_url("**/entries")
        expect(page.locator(".live")).to_be_visible()


def test_somebodys_entries_are_shown_for_a_stated_reason(desk: Desk, told: Told) -> None:
    del told
    with desk.page() as page:
        page.goto("/entries")
        page.get_by_test_id("filter-open").click()
        page.get_by_test_id("filter-who").fill("lin mei")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("look-form")).to_be_visible()
        expect(page.get_by_test_id("entries")).to_have_count(0)
        page.get_by_test_id("look-why").select_option("other")
        page.get_by_test_id("look-submit").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "note-missing")
        page.get_by_test_id("look-note").fill("Lost keys")
        page.get_by_test_id("look-submit").click()
        expect(page.get_by_test_id("look-noted")).to_be_visible()
        expect(page.locator("tr[data-testid^=entry-]").first).to_contain_text("Lin Mei")


def test_a_guard_finds_out_why_and_what_to_do(desk: Desk, told: Told) -> None:
    with desk.page() as page:
        page.goto("/entries?result=refused")
        page.get_by_role("link", name="Why?").first.click()
        expect(page.get_by_test_id("why-entry")).to_be_visible()
        page.get_by_test_id("why-who").fill("3-1-502")
        page.get_by_test_id("why-submit").click()
        standing = page.get_by_test_id("why-standing")
        expect(standing).to_contain_text("林梅 Lin Mei")
        expect(standing.get_by_test_id("obstacle-invited")).to_be_visible()
        refusals = page.get_by_test_id("why-refusals").locator("[data-reason=suspended]")
        expect(refusals).to_contain_text("What to do:")
        expect(page.get_by_test_id("why-unknown")).to_contain_text("North gate")
        shoot(page, "why", full=True)
        page.goto(f"/entries/why?person={told.person}&near=2026-01-01T10:00")
        expect(page.get_by_role("link", name="Look in the log")).to_be_visible()


def test_a_daily_report_is_signed_by_name(desk: Desk, told: Told) -> None:
    del told
    day = (datetime.now(ZONE) - timedelta(days=3)).date().isoformat()
    with desk.page() as page:
        page.goto("/entries/days")
        expect(page.get_by_test_id("days-open")).to_be_visible()
        page.get_by_test_id(f"day-{day}").get_by_role("link").click()
        expect(page.get_by_test_id("report")).to_contain_text("North gate")
        page.get_by_test_id("report-note").fill("A quiet day.")
        shoot(page, "report", full=True)
        page.get_by_test_id("report-sign").click()
        expect(page.get_by_test_id("report-signature")).to_contain_text("mei")
        expect(page.get_by_test_id("report-signature")).to_contain_text("A quiet day.")
        expect(page.get_by_test_id("report-sign")).to_have_count(0)
        page.emulate_media(media="print")
        expect(page.locator(".side")).to_be_hidden()
        shoot(page, "report_printed", full=True)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh-CN", "dark")])
def test_charts_are_read_at_a_glance_and_have_a_table_behind_them(
    desk: Desk, told: Told, language: str, scheme: str
) -> None:
    del told
    with desk.page(language=language, color_scheme=scheme, viewport=PHONE) as page:
        page.goto("/entries/analysis?days=7")
        expect(page.get_by_test_id("unusual-light")).to_be_visible()
        charts = page.locator("svg.chart")
        assert charts.count() == 5
        for number in range(charts.count()):
            chart = charts.nth(number)
            assert chart.evaluate("one => one.querySelector('title').textContent.length") > 0
            box = chart.bounding_box()
            assert box is not None
            assert box["width"] > 200
        page.locator("summary").first.click()
        expect(page.locator("table.figures").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        for name, address in (
            ("analysis", "/entries/analysis?days=7"),
            ("log", "/entries"),
            ("refused", "/entries?result=refused&category=unknown"),
            ("days", "/entries/days"),
            ("day", f"/entries/days/{(datetime.now(ZONE) - timedelta(days=4)).date()}"),
            ("why", "/entries/why?who=3-1-502"),
            ("reason", "/entries?who=lin"),
        ):
            page.goto(address)
            page.set_viewport_size(PHONE)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            shoot(page, f"{language}_{scheme}_phone_{name}", full=True)
            page.set_viewport_size(DESKTOP)
            shoot(page, f"{language}_{scheme}_desktop_{name}", full=True)


def test_an_export_comes_as_a_file(desk: Desk, told: Told) -> None:
    del told
    with desk.page(language="zh-CN") as page:
        page.goto("/entries?result=refused")
        page.get_by_test_id("export").click()
        expect(page.get_by_test_id("export-back")).to_be_visible()
        desk.prove(page)
        for form, begins in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK")):
            with page.expect_download() as download:
                page.get_by_test_id(f"export-{form}").click()
            path = download.value.path()
            assert download.value.suggested_filename.endswith(form)
            assert wait_for("the file", path.read_bytes).startswith(begins)
