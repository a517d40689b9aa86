"""The API's description, complete: what the framework knows, examples and refusals."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tier_kit.forms.description import EVERY_REFUSAL, REFUSALS, WORDS
from tier_kit.forms.refusals import say
from tier_kit.openapi import describe

_HEALTH = {"Health.status": "ok"}


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the description of an application's API, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        refusals = {key: (*own, *EVERY_REFUSAL) for key, own in REFUSALS.items()}
        codes = {code for own in refusals.values() for _, code in own}
        sentences = {code: say("en", code) for code in codes}
        app.openapi_schema = describe(document, WORDS | _HEALTH, {}, refusals, sentences)
    return app.openapi_schema
