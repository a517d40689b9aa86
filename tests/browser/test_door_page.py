"""The screen at the door: real Chromium, a real door process, fingers and keys."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, ViewportSize, expect

from community_server.intake.consents import load_renewal_texts
from door_terminal.credentials.backoff import UNIT_PATIENCE
from door_terminal.screen.app import renewal_told
from tests.browser.door_screen import (
    PATIENCE_MS,
    SMALL,
    UPRIGHT,
    message,
    screen,
    shoot,
    sound,
    tap,
)
from tests.door_terminal.estate import Estate, eventually, running_estate
from tests.door_terminal.processes import Door, in_step, pair, running_door
from tests.door_terminal.samples import QUICK, configured, person
from tier_link.estate_messages import LockdownDeclared

PIN, UNIT = "482915", "3-1-1201"
TEXTS = load_renewal_texts()


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with running_estate(tmp_path / "server") as estate:
        yield estate


@pytest.fixture
def door(estate: Estate, tmp_path: Path) -> Iterator[Door]:
    """A door without a camera that knows one resident, by PIN."""
    data = tmp_path / "door"
    pair(estate, data)
    estate.configure(configured())
    estate.enroll(person("a", pin=QUICK.hash(PIN), unit=UNIT))
    with running_door(data) as door:
        in_step(estate)
        yield door


def test_a_pin_typed_on_the_keyboard_opens(browser: Browser, door: Door) -> None:
    with screen(browser, door) as page:
        message(page, "Enter your unit and PIN.")
        message(page, "请输入房号和密码。")
        page.keyboard.type(UNIT)
        page.keyboard.press("Enter")  # the PIN is missing yet: its field is next
        page.keyboard.type(PIN)
        sound(page)
        shoot(page, "pin")
        page.keyboard.press("Enter")
        message(page, "Welcome.")
        message(page, "欢迎。")
        expect(page.get_by_test_id("pin")).to_have_value("")
    assert len(door.openings()) == 1


def test_a_pin_tapped_with_a_finger_opens(browser: Browser, door: Door) -> None:
    with screen(browser, door, UPRIGHT) as page:
        tap(page, UNIT + "9")
        page.locator('[data-key="erase"]').tap()
        page.get_by_test_id("pin").tap()
        tap(page, PIN)
        page.get_by_test_id("open").tap()
        message(page, "Welcome.")
        # The next person's first digits go into the unit, not the PIN.
        tap(page, "31")
        expect(page.get_by_test_id("unit")).to_have_value("31")
    assert len(door.openings()) == 1


def test_wrong_pins_are_refused_and_then_have_to_wait(browser: Browser, door: Door) -> None:
    with screen(browser, door) as page:
        for _ in range(UNIT_PATIENCE.free + 1):
            page.get_by_test_id("unit").fill(UNIT)
            page.get_by_test_id("pin").fill("000000")
            page.get_by_test_id("open").click()
            message(page, "Unit or PIN is wrong.")
            expect(page.get_by_test_id("open")).to_be_enabled()
        message(page, "Next try in")
        message(page, "秒后再试")
        sound(page)
        shoot(page, "wait")
    assert door.openings() == []


def test_a_lost_server_is_told_and_the_pin_goes_on_working(
    browser: Browser, estate: Estate, door: Door
) -> None:
    with screen(browser, door) as page:
        expect(page.locator("#link-up")).to_be_visible()
        estate.down()
        expect(page.locator("#link-down")).to_be_visible(timeout=PATIENCE_MS)
        sound(page)
        shoot(page, "link-down")
        page.get_by_test_id("unit").fill(UNIT)
        page.get_by_test_id("pin").fill(PIN)
        page.get_by_test_id("open").click()
        message(page, "Welcome.")
    assert len(door.openings()) == 1


def test_a_door_that_waits_for_its_key_says_so_until_it_comes(
    browser: Browser, estate: Estate, tmp_path: Path
) -> None:
    estate.device_key = os.urandom(32)
    data = tmp_path / "door"
    pair(estate, data, "confidential")
    estate.configure(configured())
    estate.enroll(person("a", pin=QUICK.hash(PIN), unit=UNIT))
    estate.down()
    with running_door(data) as door, screen(browser, door) as page:
        message(page, "This door waits for")
        message(page, "本门正在等待小区服务器")
        expect(page.locator("#link-down")).to_be_hidden()
        estate.up()
        message(page, "Enter your unit and PIN.")


@pytest.mark.long
def test_a_fire_release_is_shown_and_ended_by_staff(
    browser: Browser, estate: Estate, tmp_path: Path
) -> None:
    data = tmp_path / "door"
    pair(estate, data)
    estate.configure(configured(reset_pin=QUICK.hash("604318")))
    with running_door(data, input_fire="simulated") as door, screen(browser, door) as page:
        in_step(estate)
        expect(page.get_by_test_id("fire")).to_be_hidden()
        door.wire(fire=True)
        expect(page.get_by_test_id("fire")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_test_id("fire")).to_contain_text("Fire alarm.")
        expect(page.get_by_test_id("staff-pin")).to_be_hidden()
        sound(page)
        shoot(page, "fire")
        door.wire(fire=False)
        page.get_by_test_id("staff-pin").tap()
        tap(page, "111111")
        page.get_by_test_id("end-fire").tap()
        message(page, "复位密码不正确")
        page.get_by_test_id("staff-pin").tap()
        tap(page, "604318")
        page.get_by_test_id("end-fire").tap()
        message(page, "The fire release has ended.")
        expect(page.get_by_test_id("fire")).to_be_hidden()


@pytest.mark.long
@pytest.mark.parametrize("size", [SMALL, pytest.param(UPRIGHT, marks=pytest.mark.long)])
def test_a_lockdown_is_said_large_in_both_languages_and_a_fire_goes_before_it(
    browser: Browser, estate: Estate, tmp_path: Path, size: ViewportSize
) -> None:
    data = tmp_path / "door"
    pair(estate, data)
    estate.configure(configured(reset_pin=QUICK.hash("604318")))
    with running_door(data, input_fire="simulated") as door, screen(browser, door, size) as page:
        in_step(estate)
        said = page.get_by_test_id("lockdown")
        expect(said).to_be_hidden()
        estate._put(LockdownDeclared(1, active=True))
        expect(said).to_be_visible(timeout=PATIENCE_MS)
        for words in ("小区已封锁", "Estate locked down", "The way out stays open."):
            expect(said).to_contain_text(words)
        expect(page.get_by_test_id("pin")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate("document.documentElement.scrollHeight") <= size["height"]
        if size is SMALL:
            sound(page)
            shoot(page, "lockdown")
        door.wire(fire=True)
        expect(page.get_by_test_id("fire")).to_be_visible(timeout=PATIENCE_MS)
        expect(said).to_be_hidden()
        expect(page.get_by_test_id("pin")).to_be_visible()
        door.wire()
        eventually(lambda: not door.state()["burning"])
        assert door.end_fire("604318")["ended"]
        expect(said).to_be_visible(timeout=PATIENCE_MS)
        estate._put(LockdownDeclared(2, active=False))
        expect(said).to_be_hidden(timeout=PATIENCE_MS)
        expect(page.get_by_test_id("pin")).to_be_visible()


@pytest.mark.long
def test_whoever_comes_with_a_pass_reads_where_to_hold_it(browser: Browser, door: Door) -> None:
    with screen(browser, door) as page:
        state = {"camera": "", "passes": True}

        def answer(route: Route) -> None:
            answered = route.fetch()
            route.fulfill(response=answered, json=answered.json() | state)

        page.route("**/state", answer)
        message(page, "hold your QR pass before it")
        message(page, "出示通行码")
        state["passes"] = False
        message(page, "Look at the camera, or enter your unit and PIN.")
        state.update(camera="camera-lost", passes=True)  # nothing reads a pass then
        message(page, "Enter your unit and PIN.")
        expect(page.locator("#camera-lost")).to_be_visible()
        expect(page.get_by_test_id("view")).to_be_hidden()
        sound(page)
        shoot(page, "camera-lost")
        state["cards"] = True
        message(page, "Or hold your card to the reader.")
        message(page, "Enter your unit and PIN.")
        message(page, "也可刷门禁卡。")
        sound(page)
        shoot(page, "card")
        state.update(camera="", cards=False, presence="needed")
        message(page, "Press the button or step up to the door")
        message(page, "请按按钮或走近门前")
        sound(page)
        shoot(page, "press")
        state["presence"] = "missing"  # a face counts for nothing then
        message(page, "Enter your unit and PIN.")
        page.unroute_all(behavior="wait")


def test_a_turn_of_the_head_is_asked_for_in_both_languages(browser: Browser, door: Door) -> None:
    with screen(browser, door) as page:
        asked = ["left"]

        def answer(route: Route) -> None:
            answered = route.fetch()
            route.fulfill(response=answered, json=answered.json() | {"turn": asked[0]})

        page.route("**/state", answer)
        message(page, "Turn your head to the left")
        message(page, "请向左转头")
        message(page, "←")
        sound(page)
        asked[0] = "right"
        message(page, "Turn your head to the right")
        asked[0] = ""
        message(page, "Enter your unit and PIN.")
        page.unroute_all(behavior="wait")


@pytest.mark.parametrize("size", [SMALL, UPRIGHT], ids=["lying", "upright"])
def test_the_question_after_an_opening_is_answered_with_a_finger_and_keeps_the_pad_free(
    browser: Browser, door: Door, size: ViewportSize
) -> None:
    texts = {text.language: {"title": text.title, "text": text.text} for text in TEXTS}
    offered: list[object] = [{"offer": "5" * 16, "texts": texts}]
    answers: list[object] = []

    def state(route: Route) -> None:
        answered = route.fetch()
        route.fulfill(response=answered, json=answered.json() | {"renewal": offered[0]})

    def answer(route: Route) -> None:
        answers.append(route.request.post_data_json)
        offered[0] = None
        route.fulfill(json=renewal_told("renewed"))

    with screen(browser, door, size) as page:
        question = page.get_by_test_id("renewal")
        expect(question).to_be_hidden()
        pad = page.get_by_test_id("open").bounding_box()
        page.route("**/state", state)
        page.route("**/renewal", answer)
        for text in TEXTS:
            expect(question).to_contain_text(text.title, timeout=PATIENCE_MS)
            expect(question.locator(f'[lang="{text.language}"] p')).to_have_text(text.text)
        expect(question).to_be_in_viewport(ratio=1)
        if size is SMALL:
            assert page.get_by_test_id("open").bounding_box() == pad
            sound(page)
            shoot(page, "renewal")
        page.get_by_test_id("renew-en").tap()
        message(page, "Your face has been renewed.")
        expect(question).to_be_hidden()
        offered[0] = {"offer": "6" * 16, "texts": texts}
        page.get_by_test_id("renew-no").tap()
        expect(question).to_be_hidden()
        offered[0] = {"offer": "7" * 16, "texts": texts}
        expect(question).to_be_visible(timeout=PATIENCE_MS)
        tap(page, "31")  # the next person has come
        expect(question).to_be_hidden()
        expect(page.get_by_test_id("unit")).to_have_value("31")
        page.unroute_all(behavior="wait")
    assert answers == [
        {"offer": "5" * 16, "agreed": True, "language": "en"},
        {"offer": "6" * 16, "agreed": False, "language": "zh-CN"},
    ]
