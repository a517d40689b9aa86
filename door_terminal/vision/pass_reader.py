"""Reads QR codes from the camera's pictures; what they say is for the controller to judge."""

from typing import Final

import cv2
import zxingcpp

from door_terminal.vision.messages import MAX_PASS_TEXT, PassSeen
from face_engine.faces import Image

EVERY_S: Final = 0.25
"""Four pictures a second: nobody notices the wait, and a reading costs a millisecond or two."""
REPEAT_S: Final = 1.0
"""How often a code that stays in view is told again."""
_MOST_AT_ONCE: Final = 4  # a wall of codes must not keep the rest waiting


class PassReader:
    """Looks into some pictures a second and tells each code once a second."""

    def __init__(self) -> None:
        self._next_at = 0.0
        self._told: dict[str, float] = {}

    def read(self, image: Image, captured_ns: int) -> list[PassSeen]:
        """Return what is news in a picture, (H, W, 3) uint8 BGR; mostly nothing."""
        at = captured_ns / 1e9
        if at < self._next_at:
            return []
        self._next_at = at + EVERY_S
        self._told = {text: told for text, told in self._told.items() if at - told < REPEAT_S}
        news = [text for text in read_codes(image) if text not in self._told]
        self._told.update(dict.fromkeys(news, at))
        return [PassSeen(text, captured_ns) for text in news]


def read_codes(image: Image) -> list[str]:
    """Return the texts of the QR codes in a picture, (H, W, 3) uint8 BGR; a few at most."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found = zxingcpp.read_barcodes(
        grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    texts = (one.text for one in found[:_MOST_AT_ONCE])
    return [text for text in texts if 0 < len(text) <= MAX_PASS_TEXT]
