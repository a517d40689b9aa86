"""One thing that `gatehouse doctor` has looked at, in the language of whoever asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from tier_kit.catalogue import Catalogue
from tier_kit.language import Language

State = Literal["fine", "warning", "problem"]

LANGUAGE: Final[ContextVar[Language]] = ContextVar("language", default="en")
"""In which sentences are told."""


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Tell sentences in a language."""
    before = LANGUAGE.set(language)
    try:
        yield
    finally:
        LANGUAGE.reset(before)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    `remedy` is empty when it is fine; `code` is stable and for programs, empty where there is none.
    """

    subject: str
    state: State
    sentence: str
    remedy: str = ""
    code: str = ""


def found(code: str, state: State, **values: object) -> Finding:
    """Return a finding in the words of the catalogue: `<code>.subject`, `.sentence`, `.remedy`.

    Raises:
        tier_kit.catalogue.CatalogueError: nobody wrote its words.
    """
    language, catalogue = LANGUAGE.get(), words()
    remedy = "" if state == "fine" else catalogue.say(language, f"{code}.remedy", **values)
    return Finding(
        catalogue.say(language, f"{code}.subject", **values),
        state,
        catalogue.say(language, f"{code}.sentence", **values),
        remedy,
        code,
    )


@cache
def words() -> Catalogue:
    """Return the command's catalogue."""
    return Catalogue.load("gatehouse")
