"""The console's pages: templates, sentences, built files, and the reader's language."""

from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from tier_kit.catalogue import CatalogueError
from tier_kit.forms import form_pages
from tier_kit.language import COOKIE_NAME, QUERY_NAME, Language, choose
from tier_kit.pages import Pages

PAGES: Final = Pages("community_server")
FORMS: Final = form_pages("community_server")
"""What the public sees on the estate's own network."""


def language_of(request: Request) -> Language:
    """Return the language a person reads."""
    return choose(
        query=request.query_params.get(QUERY_NAME),
        cookie=request.cookies.get(COOKIE_NAME),
        accept_language=request.headers.get("accept-language"),
    )


def error_sentence(request: Request, code: str, otherwise: str) -> str:
    """Return what the reader is told of a refusal; `otherwise` where the catalogue has no words."""
    try:
        return PAGES.catalogue.say(language_of(request), f"errors.{code}")
    except CatalogueError:
        return otherwise


def show(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Answer with a page of the console, and remember the language if it was chosen just now."""
    return show_from(PAGES, request, template, status=status, **values)


def show_from(
    pages: Pages, request: Request, template: str, *, status: int = 200, **values: object
) -> HTMLResponse:
    """Answer with a page of this package or the forms'; else as `show`."""
    language = language_of(request)
    response = HTMLResponse(
        pages.render(template, language, path=request.url.path, **values), status
    )
    if QUERY_NAME in request.query_params:
        response.set_cookie(
            COOKIE_NAME, language, max_age=365 * 24 * 3600, secure=True, samesite="lax"
        )
    return response
