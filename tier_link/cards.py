"""Card numbers: one gate for what readers and keyboards write, and what a roster holds of them.

Readers write the number of the same fob in many ways: decimal with leading zeros, hexadecimal, or
the three and five digits of facility code and number that are printed on it. Here each becomes one
whole number. A roster holds a keyed hash of it. Card numbers are short, so that keeps them from
whoever sees a roster without the estate's key, and from nobody who has both.
"""

import hmac
import re
from typing import Final

from tier_link.errors import CardRefused

MAX_TEXT: Final = 32
"""Characters of a number as it is read or typed: 64 bits take 20."""
MAX_NUMBER: Final = 2**64 - 1
"""The longest numbers of common cards have 64 bits."""
TAG_SIZE: Final = 16
KEY_SIZE: Final = 32
MOST_CARDS: Final = 8
"""Numbers of one person: a fob and a card, as each kind of reader reads them."""

_DOMAIN: Final = b"gatehouse/card/1\0"
_DECIMAL: Final = re.compile(r"[0-9]{1,20}")
_HEXADECIMAL: Final = re.compile(r"(?:0X)?([0-9A-F]{1,16})")
_SURELY_HEXADECIMAL: Final = re.compile(r"0X[0-9A-F]+|[0-9]*[A-F][0-9A-F]*")
_FACILITY: Final = re.compile(r"([0-9]{1,3})[,:/ -]([0-9]{1,5})")


def read_number(text: str, *, hexadecimal: bool = False) -> int:
    """Return the number that a reader or keyboard has written, 1 to 2^64 - 1.

    `0012345678`, `BC614E`, `0x00bc614e` and `188,24910` are the same one: facility code and number
    are the upper eight and the lower sixteen of 24 bits.

    Args:
        text: As it was read or typed.
        hexadecimal: Digits alone are hexadecimal, too, as some readers write them.

    Raises:
        CardRefused: it is no number.
    """
    written = text.strip().upper()
    if len(written) > MAX_TEXT:
        raise CardRefused("a card's number is not that long")
    number = _number(written, hexadecimal=hexadecimal)
    if not 0 < number <= MAX_NUMBER:  # readers write zeros where they read nothing
        raise CardRefused("this is no card's number")
    return number


def card_tag(key: bytes, number: int) -> bytes:
    """Return what rosters hold of a number (16 bytes), under the estate's `key` (32 bytes)."""
    return hmac.digest(key, _DOMAIN + number.to_bytes(8, "big"), "sha256")[:TAG_SIZE]


def _number(written: str, *, hexadecimal: bool) -> int:
    if parts := _FACILITY.fullmatch(written):
        facility, number = int(parts[1]), int(parts[2])
        return facility << 16 | number if facility < 1 << 8 and number < 1 << 16 else 0
    if hexadecimal or _SURELY_HEXADECIMAL.fullmatch(written):
        digits = _HEXADECIMAL.fullmatch(written)
        return int(digits[1], 16) if digits else 0
    return int(written) if _DECIMAL.fullmatch(written) else 0
