"""Staff in a browser: a first password, a second factor, and the rooms that a role opens."""

import base64
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from community_server.staff.second_factor import STEP_S, _totp
from gatehouse.local_estate import LocalEstate
from tests.browser.console import USERNAME, Desk, enter
from tests.browser.shots import shoot

pytestmark = pytest.mark.long

OWN = "my own quiet password"


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An estate without a cloud, set up through its own pages."""
    with LocalEstate(tmp_path_factory.mktemp("estate")) as estate:
        estate.start_server()
        opened = Desk(estate, browser)
        opened.set_up(cloud=False)
        yield opened


def hire(desk: Desk, page: Page, username: str, role: str) -> str:
    """Make an account; return the link to its first password."""
    page.goto("/staff")
    desk.prove(page)
    page.get_by_test_id("staff-username").fill(username)
    page.get_by_test_id("staff-role").select_option(role)
    page.get_by_test_id("staff-add").click()
    return page.get_by_test_id("password-link").inner_text()


def begin(page: Page, link: str, username: str) -> None:
    """Set the first password by a link, and sign in with it."""
    page.goto(link)
    page.get_by_test_id("new-password").fill(OWN)
    page.get_by_test_id("password-set").click()
    expect(page.get_by_test_id("done")).to_be_visible()
    sign_in(page, username)


def sign_in(page: Page, username: str) -> None:
    page.get_by_test_id("login-username").fill(username)
    page.get_by_test_id("login-password").fill(OWN)
    page.get_by_test_id("login-submit").click()


def rooms(page: Page) -> list[str]:
    links = page.locator("nav.rooms a:not(.further)").all()
    return [str(link.get_attribute("data-testid")).removeprefix("nav-") for link in links]


def code_of(secret: str, moment: float) -> str:
    key = base64.b32decode(secret.replace(" ", ""))
    return _totp(key).generate(int(moment) // STEP_S * STEP_S).decode()


@pytest.mark.parametrize(
    ("language", "title", "wrong"),
    [
        ("en", "One more step", "does not fit"),
        ("zh-CN", "还差一步", "不正确"),
    ],
)
def test_a_guard_sets_a_password_and_a_second_factor_and_signs_in_with_both(
    desk: Desk, language: str, title: str, wrong: str
) -> None:
    username = f"guard-{language}"
    with desk.page() as page:
        link = hire(desk, page, username, "guard")
        shoot(page, "staff")
    with desk.page(signed_in=False, language=language) as page:
        begin(page, link, username)
        assert rooms(page) == [
            *("overview", "night", "visitors", "services", "people", "entries", "alarms"),
            *("doors", "lockdown"),
        ]
        page.get_by_test_id("nav-account").click()
        page.get_by_test_id("factor-begin").click()
        secret = page.get_by_test_id("factor-secret").inner_text()
        page.get_by_test_id("own-code").fill(code_of(secret, time.time()))
        page.get_by_test_id("factor-confirm").click()
        codes = page.get_by_test_id("recovery-codes").locator("li")
        expect(codes).to_have_count(8)
        recovery = codes.first.inner_text()
        page.get_by_test_id("logout").click()
        expect(page.get_by_test_id("done")).to_be_visible()

        sign_in(page, username)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        page.get_by_test_id("own-code").fill("000000")
        page.get_by_test_id("code-submit").click()
        expect(page.get_by_test_id("problem")).to_contain_text(wrong)
        page.get_by_test_id("own-code").fill(code_of(secret, time.time() + STEP_S))
        page.get_by_test_id("code-submit").click()
        expect(page.get_by_test_id("nav-overview")).to_be_visible()
        page.get_by_test_id("logout").click()
        sign_in(page, username)
        page.get_by_test_id("own-code").fill(recovery)
        page.get_by_test_id("code-submit").click()
        expect(page.get_by_test_id("nav-overview")).to_be_visible()


def test_whoever_is_closed_is_signed_out_on_the_screen_at_once(desk: Desk) -> None:
    with desk.page() as page, desk.page(signed_in=False, may_complain=True) as guard:
        begin(guard, hire(desk, page, "leaving", "guard"), "leaving")
        expect(guard.get_by_test_id("nav-overview")).to_be_visible()
        page.goto("/staff")
        page.get_by_role("link", name="leaving").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("leaving")
        desk.prove(page)
        page.get_by_test_id("account-disable").click()
        expect(page.get_by_test_id("account-leaving")).to_have_attribute("data-state", "disabled")
        guard.wait_for_url("**/login")


def test_an_officer_reads_who_did_what_and_whom_they_looked_at(desk: Desk) -> None:
    with desk.page() as page:
        link = hire(desk, page, "officer", "officer")
    with desk.page(signed_in=False) as page:
        begin(page, link, "officer")
        assert rooms(page) == [
            *("overview", "visitors", "services", "people", "entries", "lockdown", "audit"),
            "officer",
        ]
        enter(page, "audit")
        expect(page.get_by_test_id("audit-add-staff").first).to_contain_text("Added an account")
        shoot(page, "audit")
        page.get_by_test_id("audit-action").select_option("set-up")
        page.get_by_test_id("audit-show").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.get_by_test_id("audit-set-up")).to_contain_text(USERNAME)
        page.goto("/staff")
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "not-permitted")


def test_a_token_is_made_shown_once_used_and_revoked(desk: Desk) -> None:
    with desk.page() as page:
        page.goto("/staff")
        page.get_by_test_id("to-tokens").click()
        page.wait_for_url("**/tokens")
        desk.prove(page)
        page.get_by_test_id("token-name").fill("物业系统 Property system")
        page.get_by_test_id("scope-see-doors").check()
        page.get_by_test_id("token-make").click()
        token = page.get_by_test_id("token").inner_text()
        assert re.fullmatch(r"gatehouse_[\w-]{43}", token)
        shoot(page, "tokens")
        headers = {"authorization": f"Bearer {token}"}
        assert page.request.get("/api/v1/doors", headers=headers).ok
        assert page.request.get("/api/v1/people", headers=headers).status == 403
        page.goto("/tokens")
        expect(page.get_by_test_id("token")).to_have_count(0)
        page.get_by_test_id("token-revoke").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        assert page.request.get("/api/v1/doors", headers=headers).status == 401
