"""The API's description, complete: what the framework knows, examples and refusals."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from community_server.api.examples import ANSWERS, WORDS
from community_server.api.refusals import REFUSALS
from community_server.desk import get_signed_in
from community_server.pages import PAGES
from tier_kit.forms.description import REFUSALS as FORMS
from tier_kit.forms.description import WORDS as FORM_WORDS
from tier_kit.forms.refusals import say
from tier_kit.openapi import describe

PREFIX: Final = "/api/v1"
_SIGNED_IN: Final = (
    (401, "sign-in-needed"),
    (401, "token-wrong"),
    (403, "not-permitted"),
    (403, "second-factor-first"),
    (429, "too-many-requests"),
)
_WRITES: Final = ((403, "csrf-wrong"), (403, "origin-wrong"))
_ADDRESS: Final = (429, "rate-limited")
_DATABASE: Final = (500, "database-failed")
_DISK: Final = (507, "disk-full")
_INPUT: Final = ((422, "input-refused"), (422, "text-unusable"))


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the description of an application's API, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        refusals = {key: list(_refusals(app, key)) for key in _operations(document)}
        answers = {_full(key): answer for key, answer in ANSWERS.items()}
        forms = {code: say("en", code) for own in FORMS.values() for _, code in own}
        sentences = {**forms, **PAGES.catalogue.branch("en", "errors")}
        words = FORM_WORDS | WORDS
        app.openapi_schema = describe(document, words, answers, refusals, sentences)
    return app.openapi_schema


def own_refusals(key: str) -> Iterator[tuple[int, str]]:
    """Yield status and code of what one operation refuses by itself."""
    method, _, path = key.partition(" ")
    line = REFUSALS.get(f"{method} {path.removeprefix(PREFIX)}", "")
    for group in filter(None, line.split("; ")):
        status, *codes = group.split()
        for code in codes:
            yield int(status), code


def _refusals(app: FastAPI, key: str) -> Iterator[tuple[int, str]]:
    method = key.partition(" ")[0]
    dependant = _dependants(app)[key]
    if any(one is get_signed_in for one in _calls(dependant)):
        yield from _SIGNED_IN
        if method != "GET":
            yield from _WRITES
    if dependant.body_params or dependant.query_params or dependant.path_params:
        yield from _INPUT
    yield from own_refusals(key)
    yield from FORMS.get(key, ())
    yield _ADDRESS
    yield _DATABASE
    if method != "GET":
        yield _DISK


def _dependants(app: FastAPI) -> dict[str, Dependant]:
    found = {}
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context.original_route, "dependant", None)
        for method in context.methods or ():
            if dependant is not None:
                found[f"{method} {context.path}"] = dependant
    return found


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for one in dependant.dependencies:
        yield from _calls(one)


def _operations(document: dict[str, Any]) -> Iterator[str]:
    for path, operations in document["paths"].items():
        for method in operations:
            yield f"{method.upper()} {path}"


def _full(key: str) -> str:
    method, _, path = key.partition(" ")
    return f"{method} {PREFIX}{path}"
