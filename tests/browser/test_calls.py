"""Somebody rings: real Chromium at door and desk, a real server and door between them."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.browser.console import PASSWORD, PHONE, USERNAME, Desk
from tests.browser.door_screen import SMALL, UPRIGHT
from tests.browser.door_screen import shoot as shoot_door
from tests.browser.shots import shoot

pytestmark = pytest.mark.long

OLD_PC: ViewportSize = {"width": 1024, "height": 768}
STILL_WIDTH = 480


@dataclass
class Gate:
    """A door that rings at the desk, and its own screen."""

    desk: Desk
    door: str
    screen: Page

    def ring(self) -> None:
        self.screen.get_by_test_id("ring").tap()
        self.told("ringing", "正在呼叫保安", "Calling the guard")

    def told(self, state: str, *words: str) -> None:
        """Wait until the screen tells of a call so, in both languages."""
        call = self.screen.get_by_test_id("call")
        expect(call).to_have_attribute("data-state", state)
        expect(call).to_be_visible()
        for word in words:
            expect(call).to_contain_text(word)

    def fits(self) -> None:
        """Check that a call says all that it says within its own place, beside the pad."""
        call = self.screen.get_by_test_id("call")
        expect(self.screen.get_by_test_id("call-cancel")).to_be_in_viewport(ratio=1)
        assert call.evaluate("place => place.scrollHeight <= place.clientHeight")

    def openings(self) -> list[str]:
        file: Path = self.desk.estate.folder / "door" / "gate.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line)["entry"] for line in lines]


def stands(feed: CameraFeed, visitor: SamplePerson) -> None:
    """Let somebody stand before the camera, for longer than they are looked at."""
    frames = [*walk_up(visitor.cutout, np.random.default_rng(5), seconds=3)]
    threading.Thread(target=feed.show, args=(frames * 20,), daemon=True).start()


@contextmanager
def gate(desk: Desk, camera: str) -> Iterator[Gate]:
    """Add a door through the console, run it, and show its screen."""
    with desk.page() as page:
        page.goto("/doors")
        page.get_by_test_id("door-name").fill("东门 East gate")
        page.get_by_test_id("door-add").click()
        pair = page.locator("[data-testid^=door-pair-]")
        door = (pair.get_attribute("data-testid") or "").removeprefix("door-pair-")
        pair.click()
        code = page.get_by_test_id("door-code").inner_text()
        with desk.door(code, camera=camera):
            page.goto("/doors")
            expect(page.locator("[data-in-step=yes]")).to_be_visible(timeout=60_000)
            expect(page.get_by_text("Sends pictures")).to_be_visible(timeout=60_000)
            url = (desk.estate.folder / "door" / "door.url").read_text().strip()
            with desk.page(signed_in=False, viewport=SMALL, has_touch=True) as screen:
                screen.goto(url)
                yield Gate(desk, door, screen)


def test_who_rings_is_seen_on_every_page_and_let_in_or_refused(desk: Desk, pack: FacePack) -> None:
    visitor = next(one for one in sample_people(pack) if one.name == "Chen")
    with CameraFeed() as feed, gate(desk, feed.url) as rings, desk.page(viewport=OLD_PC) as page:
        page.goto("/people")
        expect(page.get_by_test_id("ringing")).to_have_attribute("data-count", "0")
        stands(feed, visitor)
        rings.ring()
        shoot_door(rings.screen, "call")
        banner = page.get_by_test_id(f"ring-{rings.door}")
        expect(banner).to_contain_text("东门 East gate is ringing")
        expect(banner.locator("img")).to_have_js_property("complete", value=True)
        expect(page).to_have_title(re.compile("Ringing"))
        shoot(page, "call_banner")
        page.get_by_test_id(f"answer-{rings.door}").click()
        still = page.get_by_test_id("call-still")
        expect(still).to_have_js_property("naturalWidth", STILL_WIDTH)
        first = still.get_attribute("src") or ""
        page.get_by_test_id("call-note").fill("姑姑 aunt")
        expect(still).not_to_have_attribute("src", first)  # it is live
        # What was typed is still there.
        expect(page.get_by_test_id("call-note")).to_have_value("姑姑 aunt")
        page.get_by_test_id("call-password").fill("not this one")
        page.get_by_test_id("call-open").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "password-not-yours")
        expect(still).to_have_js_property("naturalWidth", STILL_WIDTH)
        shoot(page, "call_answer")
        rings.told("ringing")
        page.get_by_test_id("call-password").fill(PASSWORD)
        page.get_by_test_id("call-open").click()
        # At the door first, which does not say so for ever.
        expect(rings.screen.get_by_test_id("message")).to_contain_text("保安已为您开门")
        expect(rings.screen.get_by_test_id("message")).to_contain_text("The guard has opened")
        shoot_door(rings.screen, "call-opened")
        expect(page.get_by_test_id("done")).to_contain_text("opened once")
        (entry,) = rings.openings()
        expect(page.get_by_test_id(f"entry-{entry}")).to_contain_text(f"Opened by {USERNAME}")
        expect(page.get_by_test_id("ringing")).to_have_attribute("data-count", "0")

        rings.ring()
        refuse_in_chinese(rings)
        refused = page.locator("[data-reason=refused-by-staff]")
        expect(refused).to_contain_text(f"Refused by {USERNAME}")
        expect(refused).to_contain_text("Come to the guard house")
        shoot(page, "call_entries")
        assert rings.openings() == [entry]


def refuse_in_chinese(rings: Gate) -> None:
    """Refuse from a phone, while a second guard has the same call before them."""
    with (
        rings.desk.page(language="zh-CN", viewport=PHONE) as page,
        rings.desk.page(may_complain=True) as second,  # of what is kept from it below
    ):
        for guard in (page, second):
            guard.goto("/")
            guard.get_by_test_id(f"answer-{rings.door}").click()
            expect(guard.get_by_test_id("call-still")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_contain_text("正在呼叫")
        # The second one is a moment late, and their page has not heard of it yet.
        second.route("**/live", lambda route: route.abort())
        second.get_by_test_id("call-password").fill(PASSWORD)
        shoot(page, "call_phone_zh", full=True)
        page.get_by_test_id("refuse-reason").select_option("desk")
        page.get_by_test_id("call-refuse").click()
        expect(page.get_by_test_id("done")).to_contain_text("已答复")
        # For as long as the door says so, which is not for ever.
        rings.told("refused", "请前往值班室办理。", "Please go to the guard house.")
        shoot_door(rings.screen, "call-refused")
        second.get_by_test_id("call-open").click()
        problem = second.get_by_test_id("problem")
        expect(problem).to_have_attribute("data-code", re.compile("call-(over|taken)"))
        expect(second.get_by_test_id("call-over")).to_be_visible()
        shoot(second, "call_second_guard")
        second.unroute_all(behavior="wait")


@pytest.mark.soak  # the first one rings, too
def test_who_gives_up_rings_no_more_and_a_resident_gets_in_meanwhile(desk: Desk) -> None:
    with CameraFeed() as feed, gate(desk, feed.url) as rings, desk.page() as page:
        page.goto("/")
        rings.ring()
        page.get_by_test_id(f"answer-{rings.door}").click()
        for size in (UPRIGHT, SMALL):
            rings.screen.set_viewport_size(size)
            rings.fits()
        # The pad goes on working while somebody else rings, and says what came of it.
        rings.screen.get_by_test_id("unit").fill("9-9-999")
        rings.screen.get_by_test_id("pin").fill("000000")
        rings.screen.get_by_test_id("open").tap()
        expect(rings.screen.get_by_test_id("message")).to_contain_text("PIN is wrong")
        expect(rings.screen.get_by_test_id("call")).to_be_hidden()
        rings.screen.get_by_test_id("call-cancel").tap()
        rings.told("cancelled", "已取消呼叫", "Call cancelled")
        expect(page.get_by_test_id("call-over")).to_be_visible()
        expect(page.get_by_test_id("call-open")).to_be_hidden()
        shoot(page, "call_over")
        assert rings.openings() == []
