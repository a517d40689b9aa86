"""What a card reader writes, and a keyboard: `tier_link.cards.read_number`."""

from collections.abc import Sequence

from tests.fuzz.gate import Gate
from tier_link.cards import card_tag, read_number
from tier_link.errors import CardRefused


def one(data: bytes) -> None:
    text = data[1:].decode("utf-8", "replace")
    card_tag(bytes(32), read_number(text, hexadecimal=data[:1] == b"x"))


def seeds() -> Sequence[bytes]:
    return [b"d0012345678", b"xBC614E", b"d0x00bc614e", b"d188,24910"]


GATE = Gate(one, seeds, (CardRefused,), most=64)
