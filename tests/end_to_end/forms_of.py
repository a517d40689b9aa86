"""The forms in which a name, a phone, a template or a photo may stand in a file."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.end_to_end.searching import needles, pieces_of

ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
_QUOTES: Final = 1
"""Characters that JSON puts around a text, at either end."""
_FEW: Final = 4
"""Numbers of a template that nothing else writes one after another."""


def text_forms(text: str) -> list[bytes]:
    """Return a text in its encodings, raw, as hex and base64, and as JSON and URLs write it."""
    encoded = [one for coding in ENCODINGS for one in needles(text.encode(coding))]
    escaped = json.dumps(text)[_QUOTES:-_QUOTES]
    written = [escaped, escaped.lower(), quote(text), quote(text).lower()]
    return [*encoded, *(one.encode() for one in written)]


def phone_forms(digits: str) -> list[bytes]:
    """Return a Chinese mobile number as text, with its usual gaps, as an integer and packed."""
    grouped = [sign.join((digits[:3], digits[3:7], digits[7:])) for sign in " -"]
    number = int(digits)
    packed = [bytes.fromhex(one) for one in (f"0{digits}", f"{digits}f")]
    integers = [number.to_bytes(8, "little"), number.to_bytes(8, "big")]
    return [*(one for text in (digits, *grouped) for one in text_forms(text)), *packed, *integers]


def pin_form(pin: str) -> re.Pattern[bytes]:
    """Return what finds a PIN as digits that stand alone: six of them are in any long number."""
    return re.compile(rb"(?<![0-9.,])" + pin.encode() + rb"(?![0-9])")


def template_forms(vector: NDArray[np.float32]) -> list[bytes]:
    """Return a template's forms: floats of three widths and both orders, bfloat16, bytes, text."""
    wide = [vector.astype(kind).tobytes() for kind in ("<f4", ">f4", "<f8", ">f8", "<f2", ">f2")]
    upper = np.ascontiguousarray(vector.astype("<f4").view("<u2")[1::2]).tobytes()
    scaled = [
        np.rint(vector / scale * 127).astype(np.int8).tobytes() for scale in (1.0, _top(vector))
    ]
    written = [
        json.dumps(numbers[start : start + _FEW])[_QUOTES:-_QUOTES].encode()
        for numbers in (vector.tolist(), [float(str(one)) for one in vector])
        for start in (0, len(numbers) // 2)
    ]
    rarer = [one for raw in (*wide[1:], upper, *scaled) for one in pieces_of(raw)]
    return [*needles(wide[0]), *rarer, *written]


def photo_forms(jpeg: bytes) -> list[bytes]:
    """Return a photo's file, and its pixels in the orders in which programs hold them."""
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    middle = pixels[pixels.shape[0] // 2 :]
    orders = (middle, middle[:, :, ::-1], cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY))
    return [*needles(jpeg), *(one for order in orders for one in _pixels(order))]


def _pixels(order: NDArray[Any]) -> list[bytes]:
    # A plain wall is in other pictures, too.
    return [one for one in pieces_of(np.ascontiguousarray(order).tobytes()) if len(set(one)) > 8]


def _top(vector: Sequence[float] | NDArray[np.float32]) -> float:
    return float(np.max(np.abs(vector)))
