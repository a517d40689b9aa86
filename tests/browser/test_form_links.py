"""Links that cannot work, cameras that are not there: each in one sentence with what to do."""

import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page, expect

from gatehouse.local_estate import wait_for
from tests.browser.conftest import Launch, OpenPage, Portraits, camera_film, jpeg
from tests.browser.estate import Estate
from tests.browser.test_form import choose
from tests.support.form_steps import agree
from tier_link.base64url import encode_base64url
from tier_link.certificates import root_public_bytes

DAY = 24 * 3600


def damaged(estate: Estate) -> str:
    link, _ = estate.invite()
    return link[:-2]


def bare(estate: Estate) -> str:
    link, _ = estate.invite()
    return link.partition("#")[0]


def never_published(estate: Estate) -> str:
    link, _ = estate.invite()
    fragment = link.partition("#")[2]
    return link.replace(fragment, "A" * 21 + fragment[21:])


def expired(estate: Estate) -> str:
    link, _ = estate.invite(valid_for=-60)
    return link


def used(estate: Estate) -> str:
    link, invitation = estate.invite()
    estate.close_invitation(invitation, "used")
    return link


def withdrawn(estate: Estate) -> str:
    link, invitation = estate.invite()
    estate.close_invitation(invitation, "withdrawn")
    return link


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (damaged, "link-incomplete"),
        (bare, "link-incomplete"),
        (never_published, "invitation-unknown"),
        (expired, "invitation-expired"),
        (used, "invitation-used"),
        (withdrawn, "invitation-withdrawn"),
    ],
)
def test_a_link_that_cannot_work_says_why_and_what_to_do_in_both_languages(
    estate: Estate, open_page: OpenPage, make: Callable[[Estate], str], code: str
) -> None:
    page = open_page()
    page.goto(make(estate))
    sentences = {_problem(page, code)}
    page.get_by_test_id("lang-zh-CN").click()
    sentences.add(_problem(page, code))
    assert len(sentences) == 2


def test_a_page_that_is_not_the_estates_is_refused_before_anything_is_asked(
    own_estate: Estate, open_page: OpenPage
) -> None:
    link, _ = own_estate.invite()
    own = encode_base64url(root_public_bytes(own_estate.root))
    own_estate.publish(root=Ed25519PrivateKey.generate())
    wait_for("the other root", lambda: own_estate.published_root() != own)
    page = open_page()
    page.goto(link)
    _problem(page, "root-mismatch")
    page.get_by_test_id("lang-zh-CN").click()
    _problem(page, "root-mismatch")


def _problem(page: Page, code: str) -> tuple[str, str]:
    problem = page.get_by_test_id("problem")
    expect(problem).to_have_attribute("data-problem", code)
    title = page.locator('[data-part="problem-title"]')
    advice = page.locator('[data-part="problem-advice"]')
    expect(title).not_to_be_empty()
    expect(advice).not_to_be_empty()
    return title.inner_text(), advice.inner_text()


def test_a_device_whose_clock_is_wrong_is_told_so(estate: Estate, open_page: OpenPage) -> None:
    link, _ = estate.invite()
    page = open_page()
    page.clock.set_fixed_time((time.time() - 3 * DAY) * 1000)
    page.goto(link)
    _problem(page, "clock")


def test_a_camera_that_may_not_be_used_leaves_files(
    estate: Estate,
    open_page: OpenPage,
    launch: Launch,
    portraits: Portraits,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    film = tmp_path_factory.mktemp("film") / "camera.mjpeg"
    browser = launch(
        "--use-fake-device-for-media-stream", camera_film(film, [(portraits.front, 1.0)])
    )
    _files_instead_of(estate, open_page(on=browser, camera=False), "denied", portraits)
    browser.close()


def test_a_device_without_a_camera_leaves_files(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    _files_instead_of(estate, open_page(camera=True), "missing", portraits)


def _files_instead_of(estate: Estate, page: Page, fault: str, portraits: Portraits) -> None:
    link, _ = estate.invite()
    page.goto(link)
    agree(page)
    page.get_by_test_id("use-camera").click()
    advice = page.get_by_test_id("advice")
    expect(advice).to_have_attribute("data-fault", fault)
    expect(advice).to_contain_text("hoose photos instead")
    choose(page, "front", jpeg(portraits.front))
    expect(page.get_by_test_id("send")).to_be_enabled()
