"""The screen while somebody stands before the door: real Chromium, door, camera and models."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from face_engine.faces import Image
from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.browser.door_screen import (
    LARGE,
    PATIENCE_MS,
    SMALL,
    UPRIGHT,
    message,
    screen,
    shoot,
    tap,
)
from tests.door_terminal.estate import Estate, eventually, running_estate
from tests.door_terminal.processes import MATRIX, Door, enrolled, in_step, pair, running_door
from tests.door_terminal.samples import QUICK, configured
from tier_link.estate_messages import Looking, WeeklyWindow, Zone

pytestmark = pytest.mark.long

PIN, UNIT = "482915", "3-1-1201"


@pytest.fixture(scope="module")
def people(pack: FacePack) -> dict[str, SamplePerson]:
    return {person.name: person for person in sample_people(pack)}


@pytest.fixture(scope="module")
def feed() -> Iterator[CameraFeed]:
    with CameraFeed() as feed:
        yield feed


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with running_estate(tmp_path_factory.mktemp("server")) as estate:
        yield estate


def settle(estate: Estate, **more: object) -> None:
    """Configure the door; who stands there waits long enough for what the screen says."""
    zone = Zone(min_face_px=80, dwell_ms=2000, cooldown_s=0.0)
    estate.configure(configured(matrix=MATRIX.astype("<f4").tobytes(), zone=zone, **more))


@pytest.fixture(scope="module")
def door(
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
    estate: Estate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Door]:
    """A door with a camera that knows Ada."""
    data = tmp_path_factory.mktemp("live") / "door"
    pair(estate, data)
    settle(estate)
    estate.enroll(enrolled(pack, people["Ada"], "a", pin=QUICK.hash(PIN), unit=UNIT))
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        yield door


@contextmanager
def standing(feed: CameraFeed, scene: Sequence[Image]) -> Iterator[None]:
    """Let somebody stand before the camera until the block is over."""
    playing = threading.Thread(target=feed.show, args=(scene,))
    playing.start()
    try:
        yield
    finally:
        feed.clear()
        playing.join()


def near(person: SamplePerson, face_widths: tuple[float, float] = (170, 185)) -> list[Image]:
    random = np.random.default_rng(1)
    return list(walk_up(person.cutout, random, seconds=10, face_widths=face_widths))


@pytest.fixture(scope="module")
def scenes(people: dict[str, SamplePerson]) -> dict[str, list[Image]]:
    """Who stands there, by what is shown."""
    return {
        "known": near(people["Ada"]),
        "stranger": near(people["Fang"]),
        "far": near(people["Fang"], (110, 112)),
    }


def advice(page: Page, *texts: str) -> None:
    for text in texts:
        expect(page.get_by_test_id("advice")).to_contain_text(text, timeout=PATIENCE_MS)


def box(page: Page, state: str) -> None:
    expect(page.locator(f'#boxes > [data-state="{state}"]')).to_be_visible(timeout=PATIENCE_MS)


def alone(page: Page) -> None:
    """Wait until nobody is shown any more."""
    expect(page.get_by_test_id("view")).to_be_hidden(timeout=PATIENCE_MS)
    message(page, "Look at the camera")


def keep(page: Page, state: str) -> None:
    """Keep a picture of a state; of the other sizes some."""
    size = page.viewport_size
    if size == SMALL:
        shoot(page, state)
    elif state == "looking" or (state == "refused" and size == UPRIGHT):
        shoot(page, f"{state}-{'upright' if size == UPRIGHT else 'large'}")


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(SMALL, id="lying"),
        pytest.param(UPRIGHT, id="upright", marks=pytest.mark.soak),
        pytest.param(LARGE, id="large", marks=pytest.mark.soak),
    ],
)
def test_who_comes_sees_themselves_what_to_do_and_what_came_of_it(
    browser: Browser,
    door: Door,
    feed: CameraFeed,
    scenes: dict[str, list[Image]],
    size: ViewportSize,
) -> None:
    with screen(browser, door, size) as page:
        eventually(lambda: door.state()["watching"] is False)
        alone(page)
        keep(page, "rest")
        with standing(feed, scenes["known"]):
            box(page, "looking")
            advice(page, "Looking", "正在识别")
            keep(page, "looking")
            message(page, "Welcome.")
            box(page, "granted")
            expect(page.get_by_test_id("advice")).to_be_hidden()  # the message says it larger
            keep(page, "granted")
        alone(page)
        with standing(feed, scenes["far"]):
            box(page, "closer")
            advice(page, "Come closer", "请走近一些")
            keep(page, "closer")
        with standing(feed, scenes["stranger"]):
            message(page, "Not recognized.")
            message(page, "请使用密码")
            box(page, "refused")
            keep(page, "refused")
        pad = page.get_by_test_id("open").bounding_box()
        alone(page)
        assert page.get_by_test_id("open").bounding_box() == pad  # under whatever was told


def test_a_turn_is_asked_for_below_the_mirror(
    browser: Browser, door: Door, feed: CameraFeed, scenes: dict[str, list[Image]]
) -> None:
    def answer(route: Route) -> None:
        answered = route.fetch()
        route.fulfill(response=answered, json=answered.json() | {"turn": "left"})

    with screen(browser, door) as page, standing(feed, scenes["stranger"]):
        page.route("**/state", answer)
        expect(page.locator("#boxes > div")).to_be_visible(timeout=PATIENCE_MS)
        message(page, "请向左转头")
        message(page, "Turn your head to the left")
        expect(page.get_by_test_id("view")).to_be_in_viewport(ratio=1)
        keep(page, "turn")
        page.unroute_all(behavior="wait")


def test_a_face_that_is_not_enough_is_told_so_and_the_pin_completes_it(
    browser: Browser,
    estate: Estate,
    door: Door,
    feed: CameraFeed,
    scenes: dict[str, list[Image]],
) -> None:
    settle(estate, face_needs_second=True)
    with screen(browser, door) as page:
        with standing(feed, scenes["known"]):
            message(page, "Now enter your unit and PIN as well.")
            message(page, "请再输入房号和密码")
            box(page, "second")
            expect(page.get_by_test_id("message")).to_have_attribute("data-granted", "more")
            keep(page, "second")
        before = len(door.openings())
        tap(page, UNIT)
        page.get_by_test_id("pin").tap()
        tap(page, PIN)
        page.get_by_test_id("open").tap()
        message(page, "Welcome.")
        assert len(door.openings()) == before + 1
    settle(estate)


def test_outside_of_its_hours_the_screen_says_so_and_the_pin_opens(
    browser: Browser,
    estate: Estate,
    door: Door,
    feed: CameraFeed,
    scenes: dict[str, list[Image]],
) -> None:
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    begins = (now.hour * 60 + now.minute + 120) % 1440
    hours = (WeeklyWindow(127, begins, (begins + 120) % 1440 or 1440),)
    with screen(browser, door) as page:
        settle(estate, looking=Looking(hours=hours, outside="off"))
        message(page, "Faces are not looked at in these hours.")
        message(page, "此时段不识别人脸")
        expect(page.get_by_test_id("view")).to_be_hidden()
        keep(page, "not-looking")
        before = door.state()["detections"]
        opened = len(door.openings())
        with standing(feed, scenes["known"]):
            eventually(lambda: door.state()["frames"], within=60)
            tap(page, UNIT)
            page.get_by_test_id("pin").tap()
            tap(page, PIN)
            page.get_by_test_id("open").tap()
            message(page, "Welcome.")
            expect(page.get_by_test_id("view")).to_be_hidden()
        assert (door.state()["detections"], len(door.openings())) == (before, opened + 1)
        settle(estate)
        message(page, "Look at the camera")
        with standing(feed, scenes["known"]):
            box(page, "granted")


def test_the_picture_is_mirrored_and_its_boxes_with_it(
    browser: Browser, door: Door, feed: CameraFeed, scenes: dict[str, list[Image]]
) -> None:
    # A bright door post at the camera's left, and somebody beside it.
    scene = [np.roll(frame, -120, axis=1) for frame in scenes["stranger"]]
    for frame in scene:
        frame[:, :60] = 255
    with screen(browser, door, LARGE) as page, standing(feed, scene):
        face, view = page.locator("#boxes > div"), page.get_by_test_id("view")
        expect(face).to_be_visible(timeout=PATIENCE_MS)
        shown, whole = face.bounding_box(), view.bounding_box()
        assert shown is not None
        assert whole is not None
        assert shown["x"] > whole["x"] + whole["width"] / 2
        post = page.evaluate(
            """() => {
                const canvas = document.getElementById("picture");
                const at = (x) => canvas.getContext("2d").getImageData(x, 180, 1, 1).data[1];
                return [at(20), at(canvas.width - 20)];
            }"""
        )
        assert post[0] < 230 < post[1]
