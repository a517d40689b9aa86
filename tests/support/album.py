"""Screenshots: whole ones for whoever looks into a test, faceless ones for the documentation."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

PUBLISHED: Final = Path(__file__).parents[2] / "docs" / "pictures"
_WIDEST: Final = 1280  # pixels
_LARGEST: Final = 120 * 1024  # bytes; a page of documentation shows several
_NEUTRAL: Final = "#b9c0c9"


@dataclass(frozen=True)
class Album:
    """Keeps screenshots in `folder`; with GATEHOUSE_PICTURES=1 also for the documentation.

    The people in the pictures did not ask to be published: there, camera and photos are
    painted over.
    """

    folder: Path

    def take(self, page: Page, name: str) -> None:
        """Take one picture of what the page shows."""
        page.screenshot(path=self.folder / f"{name}.png")
        if os.environ.get("GATEHOUSE_PICTURES") == "1":
            faces = page.locator("video, img")
            _publish(page.screenshot(mask=[faces], mask_color=_NEUTRAL), name)


def _publish(picture: bytes, name: str) -> None:
    image = np.asarray(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    scale = min(1.0, _WIDEST / image.shape[1])
    while len(data := _png(image, scale)) > _LARGEST:
        scale *= 0.8
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    (PUBLISHED / f"{name}.png").write_bytes(data)


def _png(image: NDArray[np.uint8], scale: float) -> bytes:
    smaller = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", smaller, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
