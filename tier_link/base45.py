"""Base45 (RFC 9285): bytes in the characters that a QR code packs most tightly."""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_BASE: Final = len(ALPHABET)
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_PAIR: Final = 3  # characters for two bytes
_SINGLE: Final = 2  # characters for a last byte


def encode_base45(data: bytes) -> str:
    """Write bytes in base45: three characters for two bytes, two for a last one."""
    text: list[str] = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(_PAIR if len(pair) == 2 else _SINGLE):  # noqa: PLR2004 - two bytes
            value, digit = divmod(value, _BASE)
            text.append(ALPHABET[digit])
    return "".join(text)


def decode_base45(text: str) -> bytes:
    """Read base45; each sequence of bytes has exactly one text.

    Raises:
        ValueError: not base45.
    """
    data = bytearray()
    for at in range(0, len(text), _PAIR):
        group = text[at : at + _PAIR]
        size = {_PAIR: 2, _SINGLE: 1}.get(len(group))
        if size is None or not all(character in _VALUES for character in group):
            raise ValueError("not base45")
        value = sum(_VALUES[character] * _BASE**place for place, character in enumerate(group))
        if value >= 1 << (8 * size):
            raise ValueError("not base45")
        data += value.to_bytes(size, "big")
    return bytes(data)
