"""The operators' page in a phone's browser: a day of an operator, and axe in every look."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import faults
from tests.browser.conftest import OpenPage
from tests.browser.estate import Estate
from tests.browser.shots import shoot
from tests.enrollment_cloud.cloud_process import CloudProcess


def key_of(cloud: CloudProcess, *arguments: str) -> str:
    found = re.search(r"Key: +(\S+)", cloud.command("add-operator", "Ada", *arguments))
    assert found
    return found[1]


@pytest.mark.long
def test_an_operator_registers_a_community_and_sees_it_among_theirs_alone(
    cloud: CloudProcess, estate: Estate, open_page: OpenPage
) -> None:
    group = cloud.command("add-group", "Harmony").strip()
    page = open_page()
    page.goto(f"{cloud.address}/operator")
    page.get_by_test_id("key").fill("nothing")
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_test_id("key").fill(key_of(cloud, "--group", group))
    page.get_by_test_id("sign-in").click()
    page.get_by_test_id("name").fill("Sunny Court")
    page.get_by_test_id("register").click()
    expect(page.get_by_test_id("code")).to_have_text(re.compile(r"^(\w{4}-){3}\w{4}$"))
    page.get_by_role("link", name="Back").click()
    shown = page.locator("[data-community]")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("Sunny Court")
    assert shown.get_attribute("data-community") != estate.community
    page.get_by_text("Close this community").click()
    page.get_by_label("Id", exact=True).fill(shown.get_attribute("data-community") or "")
    page.get_by_role("button", name="Close for good").click()
    expect(shown).to_have_attribute("data-state", "revoked")
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("key")).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize(
    ("language", "scheme"),
    [("en", "light"), ("zh-CN", "dark"), ("en", "dark"), ("zh-CN", "light")],
)
def test_the_page_is_sound_and_fits_a_phone_in_every_look(
    cloud: CloudProcess, estate: Estate, open_page: OpenPage, language: str, scheme: str
) -> None:
    page = open_page(language=language, color_scheme=scheme)
    page.goto(f"{cloud.address}/operator")
    found = {"sign-in": list(faults(page))}
    shoot(page, f"operator_{language}_{scheme}_sign_in", full=True)
    page.get_by_test_id("key").fill(key_of(cloud))
    page.get_by_test_id("sign-in").click()
    expect(page.locator(f"[data-community='{estate.community}']")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language
    found["communities"] = list(faults(page))
    shoot(page, f"operator_{language}_{scheme}_communities", full=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_test_id("name").fill("Other Court")
    page.get_by_test_id("register").click()
    expect(page.get_by_test_id("code")).to_be_visible()
    found["code"] = list(faults(page))
    assert {name: some for name, some in found.items() if some} == {}
