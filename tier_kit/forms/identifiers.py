"""The one gate for identifiers that strangers put into addresses."""

import re
from typing import Final

from tier_kit.forms.errors import Malformed

MAX_COMMUNITY_ID: Final = 64
"""A slug of a name with four hex digits; long enough for any name, short enough for a row."""

_COMMUNITY: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_HEX_ID: Final = re.compile(r"[0-9a-f]{32}")
_KEY_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def community_id(text: str) -> str:
    """Return `text` if it is shaped like a community's id (`sunny-court-4f2a`).

    Raises:
        Malformed: it is not (`identifier-malformed`).
    """
    return _matched(_COMMUNITY, text)


def hex_id(text: str) -> str:
    """Return `text` if it is the id of an envelope or an invitation: 16 bytes in hex.

    Raises:
        Malformed: it is not (`identifier-malformed`).
    """
    return _matched(_HEX_ID, text)


def key_id(text: str) -> str:
    """Return `text` if it is shaped like a key's id.

    Raises:
        Malformed: it is not (`identifier-malformed`).
    """
    return _matched(_KEY_ID, text)


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise Malformed("identifier-malformed")
    return text
