"""Every refusal of the forms and their interface: its HTTP status, and a sentence for people."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from tier_kit.catalogue import Catalogue
from tier_kit.forms import errors
from tier_kit.language import Language

STATUSES: Final[Mapping[type[errors.FormRefused], int]] = {
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Malformed: 400,
    errors.TooLarge: 413,
    errors.WrongMediaType: 415,
    errors.TooSlow: 408,
    errors.TooMany: 429,
    errors.Busy: 503,
}

TITLE: Final = "title"
"""The heading above the sentence, on a page."""


def say(language: Language, code: str) -> str:
    """Return the sentence of a refusal, or `TITLE`.

    Raises:
        CatalogueError: nobody wrote one for this code.
    """
    return _catalogue().say(language, f"refusal.{code}")


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load(__name__)
