"""How the forms' interface describes itself, whoever serves it: examples, and what it refuses."""

from typing import Final

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
EVERY_REFUSAL: Final = (
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
    "CertificateView.certificate": "eyJrZXkiOiIyMDI2LTQ4In0",
    "CommunityView.community": "sunny-court-c61d",
    "CommunityView.name": "Sunny Court",
    "Taken.envelope": "5f0c2b8e9d3a4e7f8b1c6d2a0e9f4b73",
    "InvitationView.expires_at": 1795732071,
    "Taken.expires_at": 1795732071,
    "ConsentView.id": "face",
    "ConsentView.language": "zh-CN",
    "CommunityView.languages": ["zh-CN", "en"],
    "ReplyView.number": 1,
    "CommunityView.root_public": "F32JNy4aQlqrgG5fN83Q24lgRhnYZl-YEFqptNUlwsQ",
    "ReplyView.sealed": "AAEgQ2lwaGVydGV4dA",
    "CertificateView.signature": "c2lnbmF0dXJlLW9mLTY0LWJ5dGVz",
    "ConsentView.text": "本人同意小区使用本人的人脸特征开门。",
    "ConsentView.title": "人脸识别",
    "ConsentView.version": "2026-11",
}
"""Examples of fields, by `Model.field`."""
