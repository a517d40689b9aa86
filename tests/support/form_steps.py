"""The first steps through the form, as a person in a hurry takes them."""

from typing import Final

from playwright.sync_api import Page, expect

from gatehouse.local_estate import wait_for

CONSENTS: Final = ("encode", "internet", "keep")
PATIENCE_MS: Final = 60_000
"""A busy machine is slow; nothing here measures how slow."""


def open_form(page: Page, link: str) -> None:
    """Open an invitation as soon as word of it has reached the cloud."""

    def shown() -> bool:
        page.goto("about:blank")
        page.goto(link)
        first = page.locator(':is([data-step="consents"], [data-step="problem"]):not([hidden])')
        expect(first).to_be_visible(timeout=PATIENCE_MS)
        return first.get_attribute("data-step") == "consents"

    wait_for("the form", shown)


def step(page: Page, name: str) -> None:
    """Wait until a step is shown."""
    expect(page.locator(f'[data-step="{name}"]')).to_be_visible(timeout=PATIENCE_MS)


def agree(page: Page) -> None:
    """Tick every consent and go on."""
    step(page, "consents")
    for consent in CONSENTS:
        page.get_by_test_id(f"consent-{consent}").check()
    page.get_by_test_id("continue").click()


def await_outcome(page: Page, name: str) -> None:
    """Wait until the page shows this reply of the community's."""
    verdict = page.get_by_test_id("outcome")
    expect(verdict).to_have_attribute("data-outcome", name, timeout=PATIENCE_MS)
    expect(verdict).to_be_visible()
