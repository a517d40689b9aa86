"""Which of the two languages a person reads."""

import os
from typing import Final, Literal, TypeGuard

Language = Literal["en", "zh-CN"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh-CN")
DEFAULT_LANGUAGE: Final[Language] = "zh-CN"
COOKIE_NAME: Final = "lang"
QUERY_NAME: Final = "lang"

# A browser sends a handful of ranges; more is somebody's experiment.
MAX_ACCEPT_LANGUAGE_RANGES: Final = 20


def is_language(value: str | None) -> TypeGuard[Language]:
    """Say whether `value` names a language that the catalogues hold."""
    return value in LANGUAGES


def choose(
    *,
    query: str | None = None,
    cookie: str | None = None,
    accept_language: str | None = None,
) -> Language:
    """Pick the language of a page: asked for, remembered, preferred, or Chinese.

    Args:
        query: the value of `?lang=`, the person's choice of this moment.
        cookie: the value of the `lang` cookie, their last choice.
        accept_language: the request's `Accept-Language` header (RFC 9110, 12.5.4).
    """
    for chosen in (query, cookie):
        if is_language(chosen):
            return chosen
    return _preferred(accept_language or "") or DEFAULT_LANGUAGE


def _preferred(header: str) -> Language | None:
    best: tuple[float, Language] | None = None
    for item in header.split(",")[:MAX_ACCEPT_LANGUAGE_RANGES]:
        tag, _, parameters = item.strip().partition(";")
        language = _match(tag)
        quality = _quality(parameters)
        if language is not None and quality > 0 and (best is None or quality > best[0]):
            best = (quality, language)
    return best[1] if best else None


def _match(tag: str) -> Language | None:
    primary = tag.strip().lower().split("-")[0]
    if primary == "zh":
        return "zh-CN"
    return "en" if primary == "en" else None


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def terminal_language() -> Language:
    """Return the language of whoever sits at this terminal (POSIX locale variables)."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return "zh-CN" if (spoken or "").startswith("zh") else "en"
