"""Screenshots: whole ones for whoever looks into a test, faceless ones for the documentation."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page

PUBLISHED: Final = Path(__file__).parents[2] / "docs" / "pictures"
_LARGEST: Final = (1280, 1110)  # width and height in pixels
_COLOURS: Final = 128
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
        # Hiding the caret would put a style into the page, which its policy complains of.
        page.screenshot(path=self.folder / f"{name}.png", caret="initial")
        if os.environ.get("GATEHOUSE_PICTURES") == "1":
            faces = page.locator("video, img")
            _publish(page.screenshot(mask=[faces], mask_color=_NEUTRAL, caret="initial"), name)


def _publish(picture: bytes, name: str) -> None:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.thumbnail(_LARGEST, Image.Resampling.LANCZOS)
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    # Pages have few colours: a palette keeps a picture well below 100 KB.
    image.quantize(_COLOURS).save(PUBLISHED / f"{name}.png", optimize=True)
