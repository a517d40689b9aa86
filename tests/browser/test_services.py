"""A courier who has never been here: checked in on a phone, seen inside, missed when late."""

import secrets
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.console import PHONE, Desk, enter
from tests.browser.doors_at_desk import DoorAtDesk, door_at
from tests.browser.shots import shoot
from tier_link.estate_messages import Direction, EntryRecorded

pytestmark = pytest.mark.long

HOUR = 3600


def lets_through(door: DoorAtDesk, person: str, direction: Direction, at: float) -> None:
    """Let the door tell that it let somebody through."""
    door.terminal.send(
        EntryRecorded(
            entry=secrets.token_hex(16),
            door_sequence=1,
            at=int(at * 1000),
            time_known=True,
            direction=direction,
            person=person,
            category="service",
            credential="pass",
            granted=True,
            reason="within-rules",
            matched="",
            took_ms=200,
            frames=0,
        )
    )


def test_a_courier_is_checked_in_seen_inside_and_missed_when_late(
    desk: Desk, tmp_path: Path
) -> None:
    with (
        door_at(desk, "北门进 In", tmp_path / "in", "in") as way_in,
        door_at(desk, "北门出 Out", tmp_path / "out", "out") as way_out,
        desk.page(viewport=PHONE) as page,
    ):
        page.goto("/")
        enter(page, "services")
        expect(page.get_by_test_id("inside")).to_contain_text("No service worker is inside")
        page.get_by_test_id("check-in-new-company").fill("顺风快递 Tailwind")
        page.get_by_test_id("check-in-kind").select_option("courier")
        page.get_by_test_id("check-in-unit").fill("3-1-502")
        page.get_by_test_id("check-in-phone").fill("5678")
        page.get_by_test_id("check-in-submit").click()
        expect(page.get_by_test_id("pass-given")).to_be_visible()
        expect(page.get_by_test_id("pass-qr").locator("svg")).to_be_visible()
        shoot(page, "services_pass")

        page.goto("/services/companies")
        page.get_by_role("link", name="Tailwind").click()
        row = page.locator("[data-testid^=person-]")
        person = (row.get_attribute("data-testid") or "").removeprefix("person-")
        enter(page, "services")
        lets_through(way_in, person, "in", time.time() - 3 * HOUR)
        shown = page.get_by_test_id(f"inside-{person}")
        expect(shown).to_have_attribute("data-overstays", "yes")  # the page asks by itself
        expect(shown).to_contain_text("3-1-502")
        shoot(page, "services_inside")
        page.goto("/alarms")
        alarm = page.get_by_test_id("alarm-overstay")
        expect(alarm).to_have_attribute("data-active", "yes")
        alarm.get_by_role("link", name="inside for longer").click()
        expect(page.get_by_test_id("alarm-advice")).to_contain_text("has not left in time")

        page.goto("/services")
        page.get_by_test_id(f"left-{person}").click()
        expect(page.get_by_test_id("done")).to_have_attribute("data-done", "left")
        expect(page.get_by_test_id("inside")).to_contain_text("No service worker is inside")
        page.goto("/alarms")
        expect(page.get_by_test_id("alarm-overstay")).to_have_attribute("data-active", "no")

        lets_through(way_in, person, "in", time.time())
        page.goto("/services")
        expect(shown).to_have_attribute("data-overstays", "no")
        lets_through(way_out, person, "out", time.time())
        expect(shown).to_have_count(0)
