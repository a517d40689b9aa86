"""The night desk: a guard's night by keyboard alone, in the dark, without anything moving."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gatehouse.local_estate import wait_for
from tests.browser.console import DESKTOP, PASSWORD, USERNAME, Desk
from tests.browser.doors_at_desk import DoorAtDesk, door_at

pytestmark = pytest.mark.long

STILL = 0.05
"""Half of what the web's vitals call good, all shifts of the test together."""
DARK = 0.05
"""Relative luminance of a ground that does not blind whoever looks out into the night."""


@pytest.fixture(scope="module")
def door(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoorAtDesk]:
    folder: Path = tmp_path_factory.mktemp("terminal") / "door"
    with door_at(desk, "东门 East gate", folder) as connected:
        yield connected


def focused(page: Page, test_id: str) -> None:
    expect(page.get_by_test_id(test_id)).to_be_focused()


@dataclass
class Guard:
    """Somebody at the night desk who has a keyboard and nothing else."""

    page: Page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def done(self, what: str) -> None:
        expect(self.page.get_by_test_id("done")).to_have_attribute("data-done", what)

    def see_alarm(self, alarm: str) -> None:
        row = self.page.locator(f"#night-alarm-{alarm}")
        expect(row).to_have_attribute("data-seen", "no")
        self.press("a")
        expect(row.get_by_test_id("night-seen-forced-open")).to_be_focused()
        self.press("Enter")
        self.done("alarm-seen")
        expect(row).to_have_attribute("data-seen", "yes")
        expect(row).to_contain_text(USERNAME)

    def open(self, note: str) -> None:
        """Open to who rings; the password is wrong at first, and nothing else is lost."""
        self.press("o")
        focused(self.page, "call-reason")
        self.press("Tab")
        self.page.keyboard.type(note)
        self.press("Tab")
        self.page.keyboard.type("not this one")
        self.press("Enter")
        problem = self.page.get_by_test_id("problem")
        expect(problem).to_have_attribute("data-code", "password-not-yours")
        expect(self.page.get_by_test_id("call-note")).to_have_value(note)
        self.press("o", "Tab", "Tab")
        self.page.keyboard.type(PASSWORD)
        self.press("Enter")
        self.done("call-opened")

    def refuse(self) -> None:
        self.press("r")
        focused(self.page, "refuse-reason")
        self.press("ArrowDown", "Tab", "Enter")
        self.done("call-refused")

    def open_door(self, door: str) -> None:
        """Open a door at which nobody rings, and come back."""
        self.press("d")
        focused(self.page, f"night-open-{door}")
        self.press("Enter")
        self.page.get_by_test_id("opening-password").focus()
        self.page.keyboard.type(PASSWORD)
        self.press("Enter")
        self.page.wait_for_url("**/night?done=opened")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_guard_sees_an_alarm_opens_and_refuses_by_keyboard_alone(
    desk: Desk, door: DoorAtDesk, language: str
) -> None:
    orders, refusals = len(door.terminal.orders), len(door.terminal.refusals)
    with desk.page(language=language) as page:
        guard = Guard(page)
        page.goto("/night")
        alarm = door.alarm("forced-open")
        with door.ringing():
            # Who rings is in hand by itself.
            expect(page.get_by_test_id("call-still")).to_have_js_property("naturalWidth", 480)
            guard.see_alarm(alarm.alarm)
            guard.open("Lin, 3-1-502: door of mail room")  # with every letter that is a shortcut
        assert len(door.terminal.orders) == orders + 1
        with door.ringing() as call:
            expect(page.get_by_test_id("hand")).to_have_attribute("data-call", call)
            guard.refuse()
        assert door.terminal.refusals[refusals].reason == "not-expected"
        expect(page.get_by_test_id("hand")).to_have_attribute("data-call", "")
        door.end(alarm)
        guard.open_door(door.door)
        assert len(door.terminal.orders) == orders + 2
        guard.press("l")
        page.wait_for_url("**/lockdown")


def test_keys_do_nothing_while_somebody_types_and_can_be_switched_off(
    desk: Desk, door: DoorAtDesk
) -> None:
    with desk.page() as page, door.ringing():
        page.goto("/night")
        expect(page.get_by_test_id("call-reason")).to_be_visible()
        page.get_by_test_id("call-note").focus()
        page.keyboard.type("lrad")
        focused(page, "call-note")
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("call-note")).not_to_be_focused()
        page.get_by_test_id("night-keys").click()
        expect(page.get_by_test_id("night-keys")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("o")
        page.keyboard.press("l")
        expect(page.get_by_test_id("call-reason")).not_to_be_focused()
        page.reload()  # it is remembered
        page.keyboard.press("l")
        expect(page.get_by_test_id("call-reason")).to_be_visible()
        page.get_by_test_id("night-keys").click()
        page.keyboard.press("o")
        focused(page, "call-reason")


def test_a_call_sounds_until_it_is_muted(desk: Desk, door: DoorAtDesk) -> None:
    with desk.page() as page:
        page.add_init_script(
            "window.tones = 0; const start = OscillatorNode.prototype.start;"
            "OscillatorNode.prototype.start = function (...when) {"
            " window.tones += 1; return start.apply(this, when); };"
        )
        page.goto("/night")
        expect(page.get_by_test_id("night-sound")).to_contain_text("once you have pressed a key")
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("night-sound")).to_contain_text("is heard here")
        with door.ringing():
            wait_for("the sound", lambda: page.evaluate("window.tones"))
            page.keyboard.press("m")
            expect(page.get_by_test_id("night-mute")).to_have_attribute("aria-pressed", "true")
            expect(page.get_by_test_id("night-sound")).to_contain_text("Sound is off")
            before = page.evaluate("window.tones")
            page.wait_for_timeout(3_500)  # longer than from one ring to the next
            assert page.evaluate("window.tones") == before
            page.keyboard.press("m")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_dark_whatever_the_system_is_and_nothing_moves_as_things_come_and_go(
    desk: Desk, door: DoorAtDesk, scheme: str
) -> None:
    with desk.page(color_scheme=scheme, viewport=DESKTOP) as page:
        page.add_init_script(
            "window.shifts = []; new PerformanceObserver(list => {"
            " for (const one of list.getEntries()) window.shifts.push("
            "[one.value, ...one.sources.map(source => source.node?.outerHTML?.slice(0, 80))]);"
            "}).observe({type: 'layout-shift', buffered: true});"
        )
        page.goto("/night")
        expect(page.get_by_test_id("hand")).to_have_attribute("data-call", "")
        page.evaluate("window.shifts = []")
        boxes = places(page)
        alarm = door.alarm("held-open")
        with door.ringing():
            expect(page.get_by_test_id("call-still")).to_be_visible()
            expect(page.locator(f"#night-alarm-{alarm.alarm}")).to_be_visible()
            assert places(page) == boxes
        door.end(alarm)
        expect(page.get_by_test_id("hand")).to_have_attribute("data-call", "")
        assert places(page) == boxes
        # A line more in a list moves the lines below it, and nothing else.
        assert page.evaluate("window.shifts.reduce((sum, [value]) => sum + value, 0)") < STILL
        assert luminance(page) < DARK


def places(page: Page) -> Any:
    """Return where each part of the desk stands."""
    return page.evaluate(
        "[...document.querySelectorAll('.night-desk section, .lockdown-now')]"
        ".filter(one => !one.closest('.answers') && one.id !== 'call')"
        ".map(one => { const { x, y, width, height } = one.getBoundingClientRect();"
        " return [x, y, width, height].map(Math.round); })"
    )


def luminance(page: Page) -> float:
    """Return the relative luminance of the page's ground."""
    value: float = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3)"
        ".map(one => (one / 255) ** 2.2)"
        ".reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0)"
    )
    return value
