"""What the tests of the unit's own page share: sizes, the page itself, pictures of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import faults
from tests.door_terminal.processes import Door

SMALL: ViewportSize = {"width": 800, "height": 480}
UPRIGHT: ViewportSize = {"width": 480, "height": 800}
LARGE: ViewportSize = {"width": 1280, "height": 800}
PATIENCE_MS = 30_000


@contextmanager
def screen(browser: Browser, door: Door, size: ViewportSize = SMALL) -> Iterator[Page]:
    """Show the door's page; whatever page or policy complain of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(viewport=size, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(door.url)
    yield page
    context.close()
    assert not complaints


def message(page: Page, text: str) -> None:
    expect(page.get_by_test_id("message")).to_contain_text(text, timeout=PATIENCE_MS)


def tap(page: Page, keys: str) -> None:
    for key in keys:
        page.locator(f'#keys [data-key="{key}"]').tap()


def sound(page: Page) -> None:
    """Check that axe finds no serious fault on the screen as it is, in both themes."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert faults(page) == [], scheme


def shoot(page: Page, name: str) -> None:
    """Keep a picture for `docs/door.md`, where `GATEHOUSE_SCREENSHOTS` names a folder for it."""
    folder = os.environ.get("GATEHOUSE_SCREENSHOTS")
    if folder:
        # Whoever lent their face to the tests did not lend it to the documentation.
        page.locator("#picture").evaluate("picture => { picture.style.filter = 'blur(14px)' }")
        drawn = np.frombuffer(page.screenshot(), np.uint8)
        page.locator("#picture").evaluate("picture => { picture.style.filter = '' }")
        picture = np.asarray(cv2.imdecode(drawn, cv2.IMREAD_COLOR), np.uint8)
        _, small = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 80])
        (Path(folder) / f"door-{name}.webp").write_bytes(small.tobytes())
