"""The forms on the estate's own network while the cloud is gone: at the desk, and by phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from face_engine.models import FacePack
from gatehouse.sample_people import sample_people
from tests.browser.axe import faults
from tests.browser.conftest import (
    Launch,
    OpenPage,
    Portraits,
    camera_film,
    decode,
    jpeg,
    upright,
)
from tests.browser.console import PHONE, Desk
from tests.browser.test_form import choose
from tests.support.form_steps import await_outcome, step
from tier_link.invitations import parse_link
from tier_link.receipts import PhotosDestroyed, open_receipt

pytestmark = pytest.mark.long

LANGUAGES: Final = ["en", "zh-CN"]
AT_HOME: Final = ("encode", "keep")
"""The consents where nothing goes over the internet."""


@pytest.fixture(scope="module")
def cut_off(desk: Desk) -> Iterator[Desk]:
    """An estate that is paired with a cloud which nobody reaches."""
    desk.estate.cloud.stop()
    with desk.page() as page:
        page.goto("/cloud")
        state = page.get_by_test_id("cloud-state")
        expect(state).not_to_have_attribute("data-phase", "connected")
    yield desk
    desk.estate.start_cloud()


def agree_at_home(page: Page) -> None:
    """Tick every consent and go on; none is about the internet."""
    step(page, "consents")
    assert page.locator("[data-testid^=consent-]").count() == len(AT_HOME)
    for consent in AT_HOME:
        page.get_by_test_id(f"consent-{consent}").check()
    page.get_by_test_id("continue").click()


def agree_for_a_child(page: Page, guardian: str) -> None:
    """Tick every consent for somebody under 14: it takes a guardian's name to go on."""
    step(page, "consents")
    expect(page.get_by_test_id("guardian")).to_be_hidden()
    page.get_by_test_id("under-14").check()
    for consent in AT_HOME:
        page.get_by_test_id(f"consent-{consent}").check()
    page.get_by_test_id("continue").click()
    expect(page.get_by_test_id("guardian")).to_be_focused()
    expect(page.locator("[data-part=guardian-missing]")).to_be_visible()
    assert faults(page) == []
    page.get_by_test_id("guardian").fill(guardian)
    page.get_by_test_id("continue").click()


def stored_photos(page: Page) -> int:
    """Return how many invitations' progress this browser keeps for this address."""
    count: int = page.evaluate(
        """() => new Promise(resolve => {
            const opening = indexedDB.open("gatehouse-form");
            opening.onsuccess = () => {
                const database = opening.result;
                if (!database.objectStoreNames.contains("progress")) return resolve(0);
                const counting = database.transaction("progress").objectStore("progress").count();
                counting.onsuccess = () => resolve(counting.result);
            };
        })"""
    )
    return count


def assert_receipt(form: Page, link: str, *, photos: int) -> None:
    """Check that the page shows a receipt and saves a file that verifies by the link alone."""
    form.get_by_test_id("receipt").locator("summary").click()
    assert form.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert faults(form) == []
    with form.expect_download() as saved:
        form.get_by_test_id("receipt-save").click()
    file = saved.value.path().read_bytes()
    assert file.decode() == form.get_by_test_id("receipt-text").text_content()
    stated = open_receipt(file, parse_link(link).invitation.fingerprint).receipt.stated
    assert isinstance(stated, PhotosDestroyed)
    assert stated.photos == photos
    assert stated.agreed
    for agreed in stated.agreed:
        assert agreed.text in file.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_resident_is_enrolled_before_the_desks_camera_and_the_desk_keeps_nothing(
    cut_off: Desk, launch: Launch, portraits: Portraits, tmp_path: Path, language: str
) -> None:
    film = camera_film(tmp_path / "camera.mjpeg", [(portraits.front, 3.0)])
    camera = launch("--use-fake-device-for-media-stream", film)
    at_desk = Desk(cut_off.estate, camera, cut_off.session)
    with at_desk.page(language=language, permissions=["camera"]) as page:
        page.goto("/people")
        page.get_by_test_id("invite-name").fill(f"Mei Lin {language}")
        page.get_by_test_id("invite-unit").fill("3-1-502")
        page.get_by_test_id("invite-here").check()
        page.get_by_test_id("invite-submit").click()
        expect(page.get_by_test_id("invite-opens-here")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("link", name=f"Mei Lin {language}").click()
        with page.expect_popup() as opened:
            page.get_by_test_id("enroll-at-desk").click()
        form = opened.value
        agree_for_a_child(form, f"Mother of {language}")
        form.get_by_test_id("use-camera").click()
        expect(form.get_by_test_id("photo-front")).to_be_visible(timeout=60_000)
        assert faults(form) == []
        form.get_by_test_id("send").click()
        await_outcome(form, "received")
        assert faults(form) == []
        assert stored_photos(form) == 0
        form.get_by_test_id("compare").click()
        expect(form.get_by_role("heading", name=f"Mei Lin {language}")).to_be_in_viewport()
        expect(form.locator("[data-testid^=guardian-]")).to_have_text(f"Mother of {language}")
        form.locator("[data-testid^=approve-]").click()
        expect(form.get_by_test_id("nobody-waits")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Face" if language == "en" else "人脸").first).to_be_visible()
    camera.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_visitor_enrolls_by_phone_while_the_broadband_is_down(
    cut_off: Desk, pack: FacePack, open_page: OpenPage, language: str
) -> None:
    people = {person.name: person for person in sample_people(pack)}
    with cut_off.page(language=language) as page:
        page.goto("/visitors")
        page.get_by_test_id("invite-here").check()
        page.get_by_test_id("invite-unit").fill("3-1-502")
        page.get_by_test_id("invite-submit").click()
        link = page.get_by_test_id("invite-link").inner_text()
        assert link.startswith(cut_off.estate.server_address)

        form = open_page(language=language, ignore_https_errors=True, color_scheme="dark")
        form.goto(link)
        agree_at_home(form)
        for field, value in (("name", f"Wang {language}"), ("visiting", "3-1-502")):
            form.get_by_test_id(field).fill(value)
        form.get_by_test_id("continue-particulars").click()
        choose(form, "front", jpeg(upright(pack, decode(people["Ada"].portrait))))
        form.get_by_test_id("send").click()
        await_outcome(form, "received")
        assert form.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert faults(form) == []

        page.goto("/approvals")
        page.locator("[data-testid^=approve-]").click()
        await_outcome(form, "enrolled")
        assert_receipt(form, link, photos=1)
