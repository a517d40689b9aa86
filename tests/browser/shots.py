"""Screenshots: kept where somebody asked for them, and read as a camera does."""

import os
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page

from door_terminal.vision.pass_reader import read_codes


def shoot(page: Page, name: str, *, full: bool = False) -> None:
    """Keep a screenshot in the folder that `GATEHOUSE_SCREENSHOTS` names."""
    folder = os.environ.get("GATEHOUSE_SCREENSHOTS")
    if folder:
        # Hiding the caret would put a style into the page, which its policy complains of.
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full, caret="initial")


def codes_shown(page: Page, name: str) -> list[str]:
    """What a camera reads off an element."""
    png = page.get_by_test_id(name).screenshot()
    image = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    larger = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    return read_codes(np.asarray(larger, np.uint8))
