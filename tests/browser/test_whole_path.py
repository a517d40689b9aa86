"""From a link made at the desk to a gate that opens: every tier, real pages, a camera.

The person of the sample photo turns the head before the phone's camera, and walks up to the
door's. What staff and residents do, they do in the browser.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from gatehouse.local_estate import USERNAME, LocalEstate
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import Cutout, walk_up
from tests.browser.conftest import (
    CAMERA_SIZE,
    Image,
    Launch,
    OpenPage,
    camera_film,
    decode,
    upright,
)
from tests.browser.console import Desk
from tests.support.album import Album
from tests.support.databases import databases
from tests.support.form_steps import PATIENCE_MS, agree, await_outcome, open_form
from tests.support.head_turns import swing, turned

pytestmark = pytest.mark.long

POSES = ("front", "left", "right")
UNIT = "3-1-502"
LEFT_DEGREES, RIGHT_DEGREES = 20.0, -27.0
"""Of the modelled head; the form's and the server's measures call them 16 and -15."""
FRAME_S = 0.1
WALK_S = 2.5


def on(database: str, *, in_the_soak: str) -> pytest.MarkDecorator:
    """Walk a path on one kind of database here, and on the other one where there is time."""
    kinds = [database, pytest.param(in_the_soak, marks=pytest.mark.soak)]
    return pytest.mark.parametrize("court", kinds, indirect=True)


@dataclass(frozen=True)
class Court:
    """A running estate with one door, and its desk."""

    desk: Desk
    door: str
    feed: CameraFeed

    @property
    def openings(self) -> int:
        """How often the gate has opened."""
        log = self.desk.estate.folder / f"door-{self.door}" / "gate.jsonl"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def in_step(self, people: int = 0) -> int:
        """Wait until the door knows so many people; return how many it knows."""
        known: int = self.desk.estate.await_door(self.door, people)["people"]
        return known

    def walk(self, cutout: Cutout, seed: int) -> None:
        """Let somebody walk up to the door and go."""
        self.feed.show(walk_up(cutout, np.random.default_rng(seed), seconds=WALK_S))


@pytest.fixture(scope="module")
def court(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Court]:
    """Cloud, server and door as processes, on the databases that the test names."""
    folder = tmp_path_factory.mktemp("court")
    with (
        databases(request.param, 2) as (cloud, server),
        LocalEstate(folder, cloud_database=cloud, server_database=server) as estate,
        CameraFeed() as feed,
    ):
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Sunny Court 阳光花园")
        door = estate.add_door("North gate 北门", feed.url, gate="simulated")
        with estate.staff() as staff:
            staff.call("PATCH", f"doors/{door}", {"snapshots": True})
        opened = Court(Desk(estate, browser), door, feed)
        opened.in_step()
        yield opened


@pytest.fixture(scope="module")
def people(pack: FacePack) -> dict[str, SamplePerson]:
    """The people of the sample photo."""
    return {person.name: person for person in sample_people(pack)}


@pytest.fixture
def album(tmp_path: Path) -> Album:
    """Where this test's pictures go."""
    return Album(tmp_path)


@on("sqlite", in_the_soak="postgresql")
def test_a_resident_is_guided_enrolled_by_the_desk_and_let_in_and_nobody_else(
    court: Court,
    people: dict[str, SamplePerson],
    pack: FacePack,
    launch: Launch,
    open_page: OpenPage,
    album: Album,
) -> None:
    ada = people["Ada"]
    phone = launch("--use-fake-device-for-media-stream", turning_film(album.folder, pack, ada))
    with at_the_desk(court, "en") as desk:
        desk.get_by_test_id("nav-people").click()
        desk.get_by_test_id("invite-name").fill("Mei Lin")
        desk.get_by_test_id("invite-unit").fill(UNIT)
        desk.get_by_test_id("invite-submit").click()
        link = desk.get_by_test_id("invite-link").inner_text()
        album.take(desk, "console-invitation")

        form = open_page(on=phone, camera=True, language="en")
        open_form(form, link)
        album.take(form, "form-consents")
        agree(form)
        form.get_by_test_id("use-camera").click()
        for pose in POSES:
            # Nobody presses the shutter: each photo takes itself when the head is turned that way.
            expect(form.get_by_test_id(f"photo-{pose}")).to_be_visible(timeout=PATIENCE_MS)
            album.take(form, f"form-photo-{pose}")
        form.get_by_test_id("send").click()
        await_outcome(form, "received")
        album.take(form, "form-received")

        known = court.in_step()
        approve(desk, album, name="Mei Lin", photos=len(POSES))
        await_outcome(form, "enrolled")
        album.take(form, "form-enrolled")
        court.in_step(known + 1)
        only_they_are_let_in(court, desk, "Mei Lin", ada, people["Fang"])
        album.take(desk, "console-entries")
    phone.close()


@on("sqlite", in_the_soak="postgresql")
def test_a_visitor_takes_one_photo_by_hand_and_is_let_in_and_nobody_else(
    court: Court,
    people: dict[str, SamplePerson],
    pack: FacePack,
    launch: Launch,
    open_page: OpenPage,
    album: Album,
) -> None:
    chen = people["Chen"]
    phone = launch("--use-fake-device-for-media-stream", distant_film(album.folder, pack, chen))
    with at_the_desk(court, "zh-CN") as desk:
        desk.get_by_test_id("nav-visitors").click()
        desk.get_by_test_id("invite-unit").fill(UNIT)
        desk.get_by_test_id("invite-submit").click()
        link = desk.get_by_test_id("invite-link").inner_text()

        form = open_page(on=phone, camera=True, language="zh-CN")
        open_form(form, link)
        album.take(form, "form-consents.zh-CN")
        agree(form)
        for field, value in (("name", "王小明"), ("visiting", UNIT), ("plate", "沪A12345")):
            form.get_by_test_id(field).fill(value)
        album.take(form, "form-particulars.zh-CN")
        form.get_by_test_id("continue-particulars").click()
        form.get_by_test_id("use-camera").click()
        # The arm is too short for what the form would like; the person knows better.
        advice = form.get_by_test_id("advice")
        expect(advice).to_have_attribute("data-advice", "closer", timeout=PATIENCE_MS)
        album.take(form, "form-guidance.zh-CN")
        form.get_by_test_id("shutter").click()
        expect(form.get_by_test_id("photo-front")).to_be_visible(timeout=PATIENCE_MS)
        form.get_by_test_id("send").click()
        await_outcome(form, "received")

        known = court.in_step()
        approve(desk, album, name="王小明", photos=1, suffix=".zh-CN")
        await_outcome(form, "enrolled")
        album.take(form, "form-enrolled.zh-CN")
        court.in_step(known + 1)
        only_they_are_let_in(court, desk, "王小明", chen, people["Dora"])
        album.take(desk, "console-entries.zh-CN")
    phone.close()


@contextmanager
def at_the_desk(court: Court, language: str) -> Iterator[Page]:
    """Sign in to the console."""
    with court.desk.page(language=language, signed_in=False) as page:
        page.goto("/")
        page.get_by_test_id("login-username").fill(USERNAME)
        page.get_by_test_id("login-password").fill(court.desk.estate.password)
        page.get_by_test_id("login-submit").click()
        expect(page.get_by_test_id("nav-approvals")).to_be_visible()
        yield page


def approve(desk: Page, album: Album, *, name: str, photos: int, suffix: str = "") -> None:
    """Compare the photos, as far as a test can, and approve."""
    desk.get_by_test_id("nav-approvals").click()
    expect(desk.get_by_role("heading", name=name)).to_be_visible()
    portraits = desk.locator(".portraits img")
    expect(portraits).to_have_count(photos)
    for number in range(photos):
        portraits.nth(number).scroll_into_view_if_needed()
        expect(portraits.nth(number)).to_have_js_property("complete", value=True)
        assert portraits.nth(number).evaluate("image => image.naturalWidth") > 300
    album.take(desk, f"console-approval{suffix}")
    desk.locator("[data-testid^=approve-]").click()
    expect(desk.get_by_test_id("done")).to_be_visible()
    expect(desk.get_by_test_id("nobody-waits")).to_be_visible()


def only_they_are_let_in(
    court: Court, desk: Page, name: str, person: SamplePerson, stranger: SamplePerson
) -> None:
    """Let both walk up while staff watch the entries."""
    opened = court.openings
    desk.get_by_test_id("nav-entries").click()
    granted = desk.locator("[data-testid^=entry-][data-granted=yes]")
    refused = desk.locator("[data-testid^=entry-][data-granted=no]")
    expect(desk.get_by_role("heading", level=1)).to_be_visible()
    before = granted.count(), refused.count()
    court.walk(person.cutout, seed=1)
    expect(granted).to_have_count(before[0] + 1, timeout=PATIENCE_MS)
    expect(granted.first).to_contain_text(name)
    court.walk(stranger.cutout, seed=2)
    expect(refused).to_have_count(before[1] + 1, timeout=PATIENCE_MS)
    expect(granted).to_have_count(before[0] + 1)
    assert court.openings == opened + 1
    the_refused_face_is_kept(desk, refused.first.get_attribute("data-testid") or "")


def the_refused_face_is_kept(desk: Page, row: str) -> None:
    """Look at the picture of a refusal, which the door sends where it is asked to."""
    entry = row.removeprefix("entry-")
    desk.goto(f"/entries/why?entry={entry}")
    picture = desk.get_by_test_id("why-entry").get_by_test_id(f"picture-{entry}")
    picture.locator("summary").click()
    expect(picture.locator("img")).to_have_js_property("naturalWidth", 112)
    desk.go_back()


def turning_film(folder: Path, pack: FacePack, person: SamplePerson) -> str:
    """The phone's camera, held by somebody who turns the head as the form asks."""
    portrait = as_tall_as_the_film(upright(pack, decode(person.portrait)))
    (face, *_) = pack.detector.detect(portrait)
    stops = (0.0, LEFT_DEGREES, 0.0, RIGHT_DEGREES, 0.0)
    shots: list[tuple[Image, float]] = []
    for start, end in pairwise(stops):
        shots.append((turned(portrait, face.landmarks, start), 2.0))
        shots += [
            (turned(portrait, face.landmarks, angle), FRAME_S)
            for angle in swing(start, end, steps=10)
        ]
    return camera_film(folder / "camera.mjpeg", shots)


def distant_film(folder: Path, pack: FacePack, person: SamplePerson) -> str:
    """The phone's camera at arm's length, held by somebody who looks about a little."""
    portrait = upright(pack, decode(person.portrait))
    margins = (portrait.shape[0] // 3,) * 2 + (portrait.shape[1] // 3,) * 2
    farther = as_tall_as_the_film(
        np.asarray(cv2.copyMakeBorder(portrait, *margins, cv2.BORDER_REPLICATE), np.uint8)
    )
    (face, *_) = pack.detector.detect(farther)
    angles = [*swing(0.0, 6.0, steps=10), *swing(6.0, -6.0, steps=20), *swing(-6.0, 0.0, steps=10)]
    shots = [(turned(farther, face.landmarks, angle), FRAME_S) for angle in angles]
    return camera_film(folder / "camera.mjpeg", shots)


def as_tall_as_the_film(portrait: Image) -> Image:
    """Shrink a portrait as the film will, before its head is turned many times."""
    scale = CAMERA_SIZE[1] / portrait.shape[0]
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
