"""The screen while somebody stands before the door: real Chromium, door, camera and models."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from face_engine.faces import Image
from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.browser.door_screen import LARGE, PATIENCE_MS, SMALL, UPRIGHT, message, screen, shoot
from tests.door_terminal.estate import eventually, running_estate
from tests.door_terminal.processes import Door, enrolled, furnish, in_step, pair, running_door
from tier_link.estate_messages import Zone

SIZES = [SMALL, UPRIGHT, LARGE]
NAMES = ["lying", "upright", "large"]


@pytest.fixture(scope="module")
def people(pack: FacePack) -> dict[str, SamplePerson]:
    return {person.name: person for person in sample_people(pack)}


@pytest.fixture(scope="module")
def feed() -> Iterator[CameraFeed]:
    with CameraFeed() as feed:
        yield feed


@pytest.fixture(scope="module")
def door(
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Door]:
    """A door with a camera that knows Ada."""
    folder = tmp_path_factory.mktemp("live")
    data = folder / "door"
    with running_estate(folder / "server") as estate:
        pair(estate, data)
        # Long enough to see what the screen says meanwhile.
        furnish(estate, enrolled(pack, people["Ada"], "a"), zone=Zone(80, 2000, 35.0, 0.0))
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
        feed.show([])
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


@pytest.mark.parametrize("size", SIZES, ids=NAMES)
def test_who_comes_sees_themselves_what_to_do_and_what_came_of_it(
    browser: Browser,
    door: Door,
    feed: CameraFeed,
    scenes: dict[str, list[Image]],
    size: ViewportSize,
) -> None:
    name = NAMES[SIZES.index(size)]
    with screen(browser, door, size) as page:
        eventually(lambda: door.state()["watching"] is False)
        alone(page)
        shoot(page, f"rest-{name}")
        with standing(feed, scenes["known"]):
            box(page, "looking")
            advice(page, "Looking", "正在识别")
            shoot(page, f"looking-{name}")
            message(page, "Welcome.")
            box(page, "granted")
            expect(page.get_by_test_id("advice")).to_be_hidden()  # the message says it larger
            shoot(page, f"granted-{name}")
        alone(page)
        with standing(feed, scenes["far"]):
            box(page, "closer")
            advice(page, "Come closer", "请走近一些")
            shoot(page, f"closer-{name}")
        with standing(feed, scenes["stranger"]):
            message(page, "Not recognized.")
            box(page, "refused")
            shoot(page, f"refused-{name}")
        pad = page.get_by_test_id("open").bounding_box()
        alone(page)
        assert page.get_by_test_id("open").bounding_box() == pad  # under whatever was told


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
