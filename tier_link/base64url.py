"""Strict base64url without padding (RFC 4648 §5), as it stands in JSON and in links."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")
_IMPOSSIBLE = 1  # characters over a multiple of four that no bytes can leave


def encode_base64url(data: bytes) -> str:
    """Encode `data` without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Decode the one canonical spelling of some bytes; every other spelling is refused.

    Raises:
        ValueError: for padding, foreign characters, an impossible length or stray bits.
    """
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == _IMPOSSIBLE:
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data
