"""Enroll without a browser: what the form does, for programs.

Everything is checked as the form checks it: the community's root key against the fingerprint
in the link, the envelope key's certificate, and each reply's seal and signature. The photos
leave this process sealed.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tier_link.base64url import decode_base64url
from tier_link.certificates import (
    Certificate,
    SignedCertificate,
    load_root,
    uncarry_certificate,
    verify_certificate,
)
from tier_link.envelopes import GivenConsent, Particulars, Photo, build_enrollment
from tier_link.errors import CertificateRefused
from tier_link.invitations import parse_link
from tier_link.relay_messages import Language
from tier_link.replies import Reply, open_reply
from tier_link.sealing import (
    SUITE_NAME,
    SealContext,
    new_sealing_key,
    seal,
    sealing_public_bytes,
)

POLL_SECONDS: Final = 0.3


class EnrollmentFailed(Exception):
    """The cloud or the community's keys refused; `code` says why."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Submission:
    """An enrollment on its way: what is needed to read its replies."""

    address: str
    community: str
    envelope: str
    root: Ed25519PublicKey
    reply_key: Any = field(repr=False)


@dataclass(frozen=True)
class EnrollmentClient:
    """Sends enrollments through one HTTP client, which the caller closes."""

    http: httpx.Client

    def submit(
        self,
        link: str,
        photos: Sequence[Photo],
        *,
        particulars: Particulars | None = None,
        language: Language = "en",
    ) -> Submission:
        """Seal and send one enrollment.

        Args:
            link: the invitation as the estate sent it.
            photos: up to three photos of one person.
            particulars: what a visitor writes.
            language: of the consents that the person agreed to.

        Raises:
            EnrollmentFailed: the cloud refused; `code` is the cloud's.
            tier_link.errors.LinkError: the link, a key or a field is not right.
        """
        target = parse_link(link)
        base = f"{target.cloud}/api/v1/communities/{target.community}"
        profile = _answer(self.http.get(base))
        root = load_root(decode_base64url(profile["root_public"]), target.invitation.fingerprint)
        key = _current_envelope_key(profile, root, target.community)
        _answer(self.http.get(f"{base}/invitations/{target.invitation.id}"))
        envelope = secrets.token_bytes(16).hex()
        reply_key = new_sealing_key()
        enrollment = build_enrollment(
            auth=target.invitation.auth,
            community=target.community,
            envelope=envelope,
            key=key.key,
            kind=target.enrolls,
            language=language,
            consents=_consents(profile, language),
            photos=photos,
            particulars=particulars,
            reply_key=sealing_public_bytes(reply_key),
        )
        context = SealContext(target.community, "enrollment", envelope, key.key)
        address = f"{base}/envelopes/{envelope}"
        _answer(
            self.http.put(
                address,
                params={"invitation": target.invitation.id, "key": key.key, "suite": SUITE_NAME},
                content=seal(key.public_bytes, enrollment, context),
                headers={"content-type": "application/octet-stream"},
            )
        )
        return Submission(address, target.community, envelope, root, reply_key)

    def replies(self, submission: Submission, *, seconds: float) -> Iterator[Reply]:
        """Yield the community's replies, in order, as they come.

        Raises:
            TimeoutError: no further reply within `seconds` of the last.
            EnrollmentFailed: the cloud no longer knows the envelope: send again.
        """
        number = 1
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for carried in _answer(self.http.get(submission.address))["replies"]:
                if carried["number"] == number:
                    yield open_reply(
                        submission.reply_key,
                        base64.urlsafe_b64decode(carried["sealed"] + "=="),
                        root_public=submission.root,
                        community=submission.community,
                        envelope=submission.envelope,
                        number=number,
                        now=int(time.time()),
                    )
                    number += 1
                    deadline = time.monotonic() + seconds
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"no reply {number} to envelope {submission.envelope}")


def _answer(response: httpx.Response) -> Mapping[str, Any]:
    if response.is_success:
        return cast("Mapping[str, Any]", response.json())
    try:
        error = response.json()["error"]
        raise EnrollmentFailed(error["message"], error["code"])
    except (ValueError, KeyError, TypeError) as unreadable:
        raise EnrollmentFailed(f"HTTP {response.status_code}", "http") from unreadable


def _current_envelope_key(
    profile: Mapping[str, Any], root: Ed25519PublicKey, community: str
) -> Certificate:
    """Return the certified envelope key that holds longest now."""
    now = int(time.time())
    valid: list[Certificate] = []
    for carried in profile["certificates"]:
        signed = SignedCertificate(carried["certificate"], carried["signature"])
        try:
            valid.append(
                verify_certificate(
                    *uncarry_certificate(signed),
                    root,
                    community=community,
                    purpose="envelope",
                    now=now,
                )
            )
        except CertificateRefused as refused:
            if refused.code == "certificate-forged":
                raise
    if not valid:
        raise EnrollmentFailed("the community has no valid envelope key", "key-expired")
    return max(valid, key=lambda certificate: certificate.not_after)


def _consents(profile: Mapping[str, Any], language: Language) -> list[GivenConsent]:
    return [
        GivenConsent(
            text["id"],
            text["version"],
            text["language"],
            hashlib.sha256(text["text"].encode()).hexdigest(),
        )
        for text in profile["consents"]
        if text["language"] == language and text["required"]
    ]
