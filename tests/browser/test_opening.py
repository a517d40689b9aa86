"""A door opened from the desk: real Chromium, a real server, a real door."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import PASSWORD, PHONE, USERNAME, Desk
from tests.browser.shots import shoot

pytestmark = pytest.mark.long


def openings(desk: Desk) -> list[str]:
    """Return the entries for which the simulated gate opened."""
    file: Path = desk.estate.folder / "door" / "gate.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["entry"] for line in lines]


def add_door(page: Page) -> tuple[str, str]:
    """Add a door; return its id and a pairing code."""
    page.goto("/doors")
    page.get_by_test_id("door-name").fill("北门 North gate")
    page.get_by_test_id("door-add").click()
    pair = page.locator("[data-testid^=door-pair-]")
    door = (pair.get_attribute("data-testid") or "").removeprefix("door-pair-")
    pair.click()
    return door, page.get_by_test_id("door-code").inner_text()


def test_a_guard_opens_a_door_with_password_and_reason_and_is_named_in_the_log(desk: Desk) -> None:
    with desk.page() as page:
        door, code = add_door(page)
        page.goto(f"/doors/{door}")
        expect(page.get_by_test_id("door-open-away")).to_contain_text("cannot be opened from here")
        with desk.door(code):
            page.goto("/doors")
            expect(page.locator("[data-in-step=yes]")).to_be_visible(timeout=60_000)
            shoot(page, "doors_open")
            page.get_by_test_id(f"door-open-{door}").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Open 北门 North gate?")
            page.get_by_test_id("opening-reason").select_option("other")
            page.get_by_test_id("opening-password").fill("not this one")
            page.get_by_test_id("opening-open").click()
            problem = page.get_by_test_id("problem")
            expect(problem).to_have_attribute("data-code", "note-missing")
            page.get_by_test_id("opening-note").fill("3-1-502 的姑姑")
            page.get_by_test_id("opening-password").fill("not this one")
            page.get_by_test_id("opening-open").click()
            expect(problem).to_have_attribute("data-code", "password-not-yours")
            # What was chosen and written is still there; the password is not.
            expect(page.get_by_test_id("opening-reason")).to_have_value("other")
            expect(page.get_by_test_id("opening-note")).to_have_value("3-1-502 的姑姑")
            expect(page.get_by_test_id("opening-password")).to_have_value("")
            shoot(page, "opening_refused")
            assert openings(desk) == []
            page.get_by_test_id("opening-password").fill(PASSWORD)
            page.get_by_test_id("opening-open").click()
            expect(page.get_by_test_id("done")).to_contain_text("opened once")
            listed = page.get_by_test_id("door-openings")
            expect(listed).to_contain_text("3-1-502 的姑姑")
            expect(listed).to_contain_text(USERNAME)
            shoot(page, "door_opened")
            (entry,) = openings(desk)
            page.goto("/entries")
            row = page.get_by_test_id(f"entry-{entry}")
            expect(row).to_contain_text(f"Opened by {USERNAME}")
            expect(row).to_contain_text("From the desk")

            open_in_chinese(desk, door)
            assert len(openings(desk)) == 2
        page.goto(f"/doors/{door}/opening")
        expect(page.get_by_test_id("opening-away")).to_be_visible()
        shoot(page, "opening_away")


def open_in_chinese(desk: Desk, door: str) -> None:
    """Open from a phone."""
    with desk.page(language="zh-CN", viewport=PHONE) as page:
        page.goto(f"/doors/{door}")
        page.get_by_test_id("door-open").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("打开北门 North gate")
        page.get_by_test_id("opening-reason").select_option("delivery")
        shoot(page, "opening_phone_zh")
        page.get_by_test_id("opening-password").fill(PASSWORD)
        page.get_by_test_id("opening-open").click()
        expect(page.get_by_test_id("done")).to_contain_text("门已打开一次")
        page.goto("/entries")
        rows = page.locator("[data-reason=opened-remotely]")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text(f"由 {USERNAME} 开门")
        expect(rows.first).to_contain_text("快递或外卖")
        shoot(page, "entries_phone_zh")
