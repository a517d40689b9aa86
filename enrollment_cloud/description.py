"""The API's description, complete: what the framework knows, examples and refusals."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tier_kit.forms.refusals import say
from tier_kit.openapi import describe

_API: Final = "/api/v1/communities/{community}"
_COMMUNITY: Final = ((400, "identifier-malformed"), (404, "community-unknown"))
_INVITATION: Final = (
    (404, "invitation-unknown"),
    (410, "invitation-expired"),
    (410, "invitation-used"),
    (410, "invitation-withdrawn"),
)
_BODY: Final = (
    (408, "body-too-slow"),
    (409, "envelope-conflict"),
    (413, "body-too-large"),
    (415, "media-type-wrong"),
    (429, "invitation-exhausted"),
    (503, "cloud-busy"),
    (503, "community-full"),
)
_ALL: Final = (
    (400, "request-malformed"),
    (429, "rate-limited"),
    (500, "internal-error"),
    (503, "storage-failed"),
)
REFUSALS: Final = {
    f"GET {_API}": (*_COMMUNITY, (503, "community-not-ready")),
    f"GET {_API}/invitations/{{invitation}}": (*_COMMUNITY, *_INVITATION),
    f"PUT {_API}/envelopes/{{envelope}}": (
        *_COMMUNITY,
        *_INVITATION,
        *_BODY,
        (400, "suite-unknown"),
        (400, "envelope-size-wrong"),
        (409, "invitation-wrong"),
    ),
    f"GET {_API}/envelopes/{{envelope}}": (*_COMMUNITY, (404, "envelope-unknown")),
    f"POST {_API}/unsealed-enrollments": (
        *_COMMUNITY,
        *_INVITATION,
        *_BODY,
        (400, "form-malformed"),
        (400, "consent-missing"),
        (403, "unsealed-uploads-off"),
        (503, "community-not-ready"),
    ),
}
"""Status and codes of each operation, beside those of every one."""
WORDS: Final = {
    "certificate": "eyJrZXkiOiIyMDI2LTQ4In0",
    "community": "sunny-court-c61d",
    "CommunityView.name": "Sunny Court",
    "envelope": "5f0c2b8e9d3a4e7f8b1c6d2a0e9f4b73",
    "expires_at": 1795732071,
    "id": "face",
    "language": "zh-CN",
    "languages": ["zh-CN", "en"],
    "number": 1,
    "root_public": "F32JNy4aQlqrgG5fN83Q24lgRhnYZl-YEFqptNUlwsQ",
    "sealed": "AAEgQ2lwaGVydGV4dA",
    "signature": "c2lnbmF0dXJlLW9mLTY0LWJ5dGVz",
    "text": "本人同意小区使用本人的人脸特征开门。",
    "title": "人脸识别",
    "version": "2026-11",
    "Health.status": "ok",
}


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the description of an application's API, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        refusals = {key: (*own, *_ALL) for key, own in REFUSALS.items()}
        codes = {code for own in refusals.values() for _, code in own}
        sentences = {code: say("en", code) for code in codes}
        app.openapi_schema = describe(document, WORDS, {}, refusals, sentences)
    return app.openapi_schema
