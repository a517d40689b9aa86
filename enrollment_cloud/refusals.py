"""Turns what the cloud refuses into a status and a sentence in the person's language.

The only place that knows both the errors and HTTP. API addresses answer
`{"error": {"code", "message"}}`, pages answer a page.
"""

import logging
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from enrollment_cloud.metrics.meters import Meters
from tier_kit.forms import errors, refusals
from tier_kit.language import COOKIE_NAME, QUERY_NAME, Language, choose, is_language
from tier_kit.pages import Pages
from tier_kit.security import Scope

_API_PREFIX: Final = "/api/"
_DATABASE_RETRY_SECONDS: Final = 30

_YEAR: Final = 365 * 24 * 3600
_PAGE: Final = "message.html.jinja"

_log = logging.getLogger(__name__)


def reader_language(request: Request) -> Language:
    """Return the language of whoever asks."""
    return choose(
        query=request.query_params.get(QUERY_NAME),
        cookie=request.cookies.get(COOKIE_NAME),
        accept_language=request.headers.get("accept-language"),
    )


def keep_language(request: Request, response: Response) -> None:
    """Remember a language that the reader has just chosen."""
    if is_language(request.query_params.get(QUERY_NAME)):
        response.set_cookie(
            COOKIE_NAME,
            reader_language(request),
            max_age=_YEAR,
            samesite="lax",
            secure=request.url.scheme == "https",
        )


class Refusals:
    """Answers for everything that goes wrong in one application."""

    def __init__(self, pages: Pages, meters: Meters) -> None:
        self._pages = pages
        self._meters = meters

    def install(self, app: FastAPI) -> None:
        """Make `app` answer its errors through this."""
        app.add_exception_handler(errors.FormRefused, self._refused)
        app.add_exception_handler(RequestValidationError, self._malformed)
        app.add_exception_handler(HTTPException, self._http)
        app.add_exception_handler(SQLAlchemyError, self._unstored)
        app.add_exception_handler(Exception, self._broken)

    def answer(
        self, request: Request, status: int, code: str, headers: dict[str, str] | None = None
    ) -> Response:
        """Say `code` in the reader's language, as JSON or as a page."""
        self._meters.refusals.labels(code).inc()
        language = reader_language(request)
        message = refusals.say(language, code)
        headers = {"content-language": language, **(headers or {})}
        if request.url.path.startswith(_API_PREFIX):
            body = {"error": {"code": code, "message": message}}
            return JSONResponse(body, status, headers)
        page = self._pages.render(
            _PAGE,
            language,
            title=refusals.say(language, refusals.TITLE),
            message=message,
            code=code,
            path=request.url.path,
        )
        return HTMLResponse(page, status, headers)

    def too_many(self, scope: Scope, refusal: errors.TooMany) -> Response:
        """Answer whoever asks too often, before any route."""
        headers = {"retry-after": str(refusal.retry_after)}
        return self.answer(Request(scope), refusals.STATUSES[errors.TooMany], refusal.code, headers)

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.FormRefused)  # noqa: S101  # registered for that type
        headers = {"retry-after": str(error.retry_after)} if error.retry_after else {}
        return self.answer(request, refusals.STATUSES[type(error)], error.code, headers)

    async def _malformed(self, request: Request, error: Exception) -> Response:
        del error  # it repeats what the person sent
        return self.answer(request, 400, "request-malformed")

    async def _http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for that type
        codes = {404: "page-unknown", 405: "method-not-allowed"}
        code = codes.get(error.status_code, "request-malformed")
        return self.answer(request, error.status_code, code, dict(error.headers or {}))

    async def _unstored(self, request: Request, error: Exception) -> Response:
        # A full disk, or a database that is away. What was under way is rolled back.
        _log.error("event=database-failed type=%s", type(error).__name__)
        headers = {"retry-after": str(_DATABASE_RETRY_SECONDS)}
        return self.answer(request, 503, "storage-failed", headers)

    async def _broken(self, request: Request, error: Exception) -> Response:
        # The route's pattern, not the address: addresses hold ids. No exception text either.
        route = getattr(request.scope.get("route"), "path", "unmatched")
        _log.error("event=unexpected-error route=%s type=%s", route, type(error).__name__)
        return self.answer(request, 500, "internal-error")
