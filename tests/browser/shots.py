"""Screenshots, where somebody asked for them."""

import os
from pathlib import Path

from playwright.sync_api import Page


def shoot(page: Page, name: str, *, full: bool = False) -> None:
    """Keep a screenshot in the folder that `GATEHOUSE_SCREENSHOTS` names."""
    folder = os.environ.get("GATEHOUSE_SCREENSHOTS")
    if folder:
        # Hiding the caret would put a style into the page, which its policy complains of.
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full, caret="initial")
