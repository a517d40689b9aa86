"""A pass from the desk to a phone: what the phone shows is what a door's camera reads."""

import time
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import PHONE, Desk
from tests.browser.shots import codes_shown
from tier_link.base64url import decode_base64url
from tier_link.passes import (
    PassTrust,
    RotatingCode,
    SignedPass,
    read_pass,
    step_at,
    verify_code,
)

pytestmark = pytest.mark.long


def invite(page: Page, room: str, **fields: str) -> None:
    page.goto(f"/{room}")
    for name, value in fields.items():
        page.get_by_test_id(f"invite-{name}").fill(value)
    page.get_by_test_id("invite-submit").click()
    expect(page.get_by_test_id("invite-link")).to_be_visible()


def test_a_residents_phone_shows_codes_that_it_signs_itself(desk: Desk) -> None:
    with desk.page() as page:
        invite(page, "people", name="林梅", unit="3-1-502")
        page.goto("/people")
        page.get_by_role("link", name="林梅").click()
        page.get_by_test_id("pass-give").click()
        link = page.get_by_test_id("pass-link").inner_text()
        secret = decode_base64url(link.partition("#")[2])
        fingerprint, pass_id, x, y = secret[1:33], secret[33:41], secret[41:73], secret[73:105]
        phone_key = bytes([2 + y[-1] % 2]) + x
        with desk.page(signed_in=False, viewport=PHONE) as phone:
            phone.goto(link)
            expect(phone.locator("[data-when=changing]").first).to_be_visible()
            (text,) = codes_shown(phone, "pass-code")
        code = read_pass(text)
        assert isinstance(code, RotatingCode)
        assert code.pass_id == pass_id.hex()
        assert abs(code.step - step_at(time.time())) <= 1
        verify_code(code, phone_key, PassTrust(fingerprint, {}))

        page.get_by_test_id("pass-withdraw").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_test_id("pass-withdraw")).to_have_count(0)


def test_a_visitors_pass_is_the_same_on_paper_and_on_a_phone(desk: Desk) -> None:
    until = (datetime.now() + timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M")  # noqa: DTZ005
    with desk.page(language="zh-CN") as page:
        invite(page, "visitors", name="王伟", until=until)
        page.goto("/visitors")
        page.get_by_role("link", name="王伟").click()
        page.get_by_label(page.locator("label[for=uses]").inner_text()).fill("3")
        page.get_by_test_id("pass-give").click()
        (text,) = codes_shown(page, "pass-qr")
        signed = read_pass(text)
        assert isinstance(signed, SignedPass)
        assert (signed.claim.uses, signed.claim.category) == (3, "visitor")
        link = page.get_by_test_id("pass-link").inner_text()
        with desk.page(signed_in=False, language="zh-CN", viewport=PHONE) as phone:
            phone.goto(link)
            expect(phone.locator("[data-when=counted]")).to_be_visible()
            assert codes_shown(phone, "pass-code") == [text]
            assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            phone.get_by_test_id("lang-en").click()
            expect(phone.locator("html")).to_have_attribute("lang", "en")
            assert codes_shown(phone, "pass-code") == [text]
            phone.goto(link[:-1])
            expect(phone.get_by_test_id("pass-damaged")).to_be_visible()
