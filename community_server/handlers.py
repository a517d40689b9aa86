"""The one place where this tier's errors become HTTP."""

import logging
import math
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from community_server.database import is_disk_full
from community_server.errors import (
    Conflict,
    InputRefused,
    LetterRefused,
    NotFound,
    NotPermitted,
    NotSetUp,
    ServerError,
    SignInRefused,
    TooManyAttempts,
)
from community_server.pages import FORMS, PAGES, error_sentence, language_of, show_from
from tier_kit.forms import refusals
from tier_kit.forms.errors import FormRefused, TooMany
from tier_kit.security import Scope

_log = logging.getLogger(__name__)

_STATUS: Final[Mapping[type[ServerError], int]] = {
    SignInRefused: 403,
    NotPermitted: 403,
    LetterRefused: 403,
    TooManyAttempts: 429,
    NotFound: 404,
    NotSetUp: 409,
    Conflict: 409,
    InputRefused: 422,
}

_UNKNOWN: Final = frozenset(
    {"sign-in-needed", "password-wrong", "second-factor-needed", "sign-in-over", "token-wrong"}
)
"""Codes for which nobody is known yet: 401, not 403."""


def install_handlers(app: FastAPI) -> None:
    """Teach an application to answer this tier's errors."""
    app.add_exception_handler(ServerError, answer_server_error)
    app.add_exception_handler(FormRefused, _answer_form)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(SQLAlchemyError, _answer_database_error)


async def answer_server_error(request: Request, error: Exception) -> Response:
    """Answer one of this tier's errors, on a page or to a program."""
    if not isinstance(error, ServerError):
        raise error
    page = not request.url.path.startswith("/api/")
    if page and request.method == "GET" and "hx-request" not in request.headers:
        if isinstance(error, NotSetUp):
            return RedirectResponse("/setup", 303)
        if error.code == "sign-in-needed":
            return RedirectResponse("/login", 303)
        if error.code == "second-factor-first":
            return RedirectResponse("/account", 303)
    status = 401 if error.code in _UNKNOWN else _status(error)
    headers = {}
    if isinstance(error, TooManyAttempts):
        headers["retry-after"] = str(math.ceil(error.wait))
    field = error.field if isinstance(error, InputRefused) else ""
    return _answer(request, status, error.code, str(error), field, headers)


def answer_too_many(scope: Scope, refusal: TooMany) -> Response:
    """Answer whoever asks too often, before any route."""
    return _tell_form(Request(scope), refusal)


async def _answer_form(request: Request, error: Exception) -> Response:
    """Answer as the cloud does where somebody without an account is refused."""
    if not isinstance(error, FormRefused):
        raise error
    return _tell_form(request, error)


def _tell_form(request: Request, error: FormRefused) -> Response:
    language, status = language_of(request), refusals.STATUSES[type(error)]
    headers = {"retry-after": str(error.retry_after)} if error.retry_after else {}
    message = refusals.say(language, error.code)
    if request.url.path.startswith("/api/"):
        refused = {"error": {"code": error.code, "message": message}}
        return JSONResponse(refused, status, headers)
    title = refusals.say(language, refusals.TITLE)
    page = show_from(
        FORMS,
        request,
        "message.html.jinja",
        status=status,
        title=title,
        message=message,
        code=error.code,
    )
    page.headers.update(headers)
    return page


async def _answer_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    field = str(first["loc"][-1])
    return _answer(request, 422, "input-refused", f"{field}: {first['msg']}", field, {})


async def _answer_database_error(request: Request, error: Exception) -> Response:
    if is_disk_full(error):
        _log.critical("path=%s answered=no reason=disk-full", request.url.path)
        return _answer(request, 507, "disk-full", "the server's disk is full", "", {})
    _log.exception("path=%s answered=no reason=database", request.url.path)
    return _answer(request, 500, "database-failed", "the database failed", "", {})


def _answer(
    request: Request,
    status: int,
    code: str,
    message: str,
    field: str,
    headers: Mapping[str, str],
) -> Response:
    language = language_of(request)
    sentence = error_sentence(request, code, message)
    if not request.url.path.startswith("/api/"):
        page = PAGES.render("problem.html.jinja", language, message=sentence, code=code)
        # What htmx cuts out of a whole page must come as one; it says so.
        fragment = request.headers.get("hx-request-type") == "partial"
        body = PAGES.render("notice.html.jinja", language, kind="bad", text=sentence, code=code)
        return Response(
            body if fragment else page,
            status,
            dict(headers),
            media_type="text/html; charset=utf-8",
        )
    error = {"code": code, "message": sentence} | ({"field": field} if field else {})
    return JSONResponse({"error": error}, status, dict(headers))


def _status(error: ServerError) -> int:
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
