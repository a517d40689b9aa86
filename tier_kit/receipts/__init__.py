"""Receipts in words, in both languages: for the desk's paper and for whoever checks one.

Takes a receipt as plain data, as its JSON stands (`tier_link.receipts`). Nobody may
know yet whose it is: what it says of itself is written so that it cannot pass for our own words.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tier_kit.catalogue import Catalogue
from tier_kit.language import Language

WORDS: Final = Catalogue.load(__name__)
_QUOTED: Final = "  | "
"""Before each line of a text that a receipt carries."""


def tell_receipt(receipt: Mapping[str, Any], language: Language) -> Iterator[str]:
    """Yield, line by line, what a receipt states."""
    stated = receipt["stated"]
    yield WORDS.say(language, "title", name=_shown(receipt["name"]))
    yield _say(language, "made", receipt["signed_at"], community=receipt["community"])
    yield ""
    yield from _photos(stated, language) if "photos" in stated else _erased(stated, language)


def write_receipt(receipt: Mapping[str, Any], block: str, language: Language) -> str:
    """Return a file for people: what the receipt states, and the signed block."""
    words = "\n".join(tell_receipt(receipt, language))
    return f"{words}\n\n{WORDS.say(language, 'block')}\n\n{block}"


def _photos(stated: Mapping[str, Any], language: Language) -> Iterator[str]:
    yield WORDS.say(language, "photos", count=stated["photos"], envelope=stated["envelope"])
    if stated["template_space"]:
        yield WORDS.say(language, "photos-kept", space=_shown(stated["template_space"]))
    else:
        yield WORDS.say(language, "photos-nothing")
    for agreed in stated["agreed"]:
        yield ""
        named = {key: agreed[key] for key in ("id", "version", "sha256")}
        key = "agreed-guardian" if agreed["by"] == "guardian" else "agreed"
        yield _say(language, key, agreed["given_at"], **named)
        if not agreed["text"]:
            yield WORDS.say(language, "agreed-gone")
        for line in agreed["text"].splitlines():
            yield _QUOTED + _shown(line)


def _erased(stated: Mapping[str, Any], language: Language) -> Iterator[str]:
    erased = f"erased-{stated['kept']}"
    yield _say(language, erased, stated["erased_at"], person=stated["person"])
    if not stated["template_space"]:
        yield WORDS.say(language, "no-face")
    doors = stated["doors"]
    yield WORDS.say(language, "doors" if doors else "no-doors")
    for door in doors:
        named = {"name": _shown(door["name"]), "door": door["door"][:8]}
        yield "- " + _say(language, f"door-{door['state']}", door["at"], **named)
    waiting = sum(door["state"] == "waiting" for door in doors)
    if waiting:
        yield WORDS.say(language, "incomplete", count=waiting)
    if any(door["state"] == "lease-ended" for door in doors):
        yield WORDS.say(language, "unheard")
    days = stated["backup_days"]
    yield WORDS.say(language, "backups" if days else "no-backups", days=days)


def _shown(text: str) -> str:
    """Return a foreign text on one line, without what a terminal would obey."""
    return "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in text)


def _say(language: Language, key: str, moment: int, **values: object) -> str:
    said = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")
    return WORDS.say(language, key, moment=said, **values)
