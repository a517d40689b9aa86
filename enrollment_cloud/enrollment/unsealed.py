"""Enrollments from clients that cannot seal: the cloud seals for them, at once.

Off unless the community switched it on and published the consent that such an upload needs.
The photos pass through this process's memory and nothing else; the envelope says
`sealed_by=cloud`, and the community lets its staff look at every one.

The client sends the secret of its link, because the cloud has to write the MAC in its place.
It can give a reply key of its own; without one there is no sealed reply, and the estate tells
the person what became of the enrollment.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

import msgspec

from enrollment_cloud.communities.profiles import (
    UNSEALED_CONSENT,
    ChosenConsent,
    current_envelope_key,
    shown_consents,
    takes_unsealed_uploads,
)
from tier_kit.forms.errors import Forbidden, Malformed
from tier_kit.forms.identifiers import hex_id
from tier_link.base64url import decode_base64url
from tier_link.envelopes import GivenConsent, Particulars, Photo, Pose, build_enrollment
from tier_link.errors import EnvelopeRefused, InvitationMalformed
from tier_link.invitations import InvitationKind, InvitationSecret, parse_fragment
from tier_link.relay_messages import EnvelopeDeposited, Language, ProfilePublished
from tier_link.sealing import SUITE_NAME, SealContext, is_sealing_public_key, seal

POSES: Final[tuple[Pose, ...]] = get_args(Pose)
_PARTICULARS: Final = ("name", "phone", "visiting", "purpose", "plate")
_LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
FIELDS: Final = frozenset(
    (
        *("fragment", "envelope", "language", "consents", "alternative", "reply_key"),
        *_PARTICULARS,
        *(f"photo-{pose}" for pose in POSES),
    )
)

_Alternative: TypeAlias = Literal["", "pin"]


@dataclass(frozen=True)
class UnsealedEnrollment:
    """A form that has passed the gate; its particulars and photos are in the clear."""

    envelope: str
    invitation: InvitationSecret
    language: Language
    consents: tuple[ChosenConsent, ...]
    alternative: _Alternative
    reply_key: bytes
    particulars: Particulars
    photos: tuple[Photo, ...]
    digest: bytes


def refuse_unless_on(profile: ProfilePublished) -> None:
    """Check that the community takes unsealed uploads.

    Raises:
        Forbidden: it does not (`unsealed-uploads-off`).
    """
    if not takes_unsealed_uploads(profile):
        raise Forbidden("unsealed-uploads-off")


def parse_form(fields: Mapping[str, bytes]) -> UnsealedEnrollment:
    """Read a form's fields.

    Raises:
        Malformed: an unknown, missing or impossible field (`form-malformed`).
    """
    if not fields.keys() <= FIELDS:
        raise Malformed("form-malformed")
    try:
        words = {
            name: value.decode() for name, value in fields.items() if not name.startswith("photo-")
        }
        language, alternative = words["language"], words.get("alternative", "")
        if language not in _LANGUAGES or alternative not in get_args(_Alternative):
            raise Malformed("form-malformed")
        reply_key = decode_base64url(words.get("reply_key", ""))
        if reply_key and not is_sealing_public_key(reply_key):
            raise Malformed("form-malformed")
        return UnsealedEnrollment(
            envelope=hex_id(words["envelope"]) if "envelope" in words else secrets.token_hex(16),
            invitation=parse_fragment(words["fragment"]),
            language=language,
            consents=msgspec.json.decode(words["consents"], type=tuple[ChosenConsent, ...]),
            alternative=cast("_Alternative", alternative),
            reply_key=reply_key,
            particulars=Particulars(**{name: words.get(name, "") for name in _PARTICULARS}),
            photos=tuple(
                Photo(pose, fields[f"photo-{pose}"]) for pose in POSES if f"photo-{pose}" in fields
            ),
            digest=_digest(fields),
        )
    except (
        KeyError,
        ValueError,
        RecursionError,
        msgspec.DecodeError,
        InvitationMalformed,
    ) as error:
        raise Malformed("form-malformed") from error


def seal_for_client(
    enrollment: UnsealedEnrollment,
    *,
    community: str,
    kind: InvitationKind,
    profile: ProfilePublished,
    now: int,
) -> EnvelopeDeposited:
    """Seal an enrollment to the community's current key, as the browser would have.

    Raises:
        Malformed: a required consent is missing or not the published one
            (`consent-missing`), or the enrollment is no valid one (`form-malformed`).
        Busy: the community has no key that holds (`community-not-ready`).
    """
    certificate = current_envelope_key(profile, community, now)
    try:
        plaintext = build_enrollment(
            auth=enrollment.invitation.auth,
            community=community,
            envelope=enrollment.envelope,
            key=certificate.key,
            kind=kind,
            language=enrollment.language,
            consents=_given(profile, enrollment),
            photos=enrollment.photos,
            particulars=enrollment.particulars,
            alternative=enrollment.alternative,
            reply_key=enrollment.reply_key,
            sealed_by="cloud",
        )
    except EnvelopeRefused as error:
        raise Malformed("form-malformed") from error
    context = SealContext(community, "enrollment", enrollment.envelope, certificate.key)
    return EnvelopeDeposited(
        envelope=enrollment.envelope,
        invitation=enrollment.invitation.id,
        key=certificate.key,
        suite=SUITE_NAME,
        sealed_by="cloud",
        received_at=now,
        sealed=seal(certificate.public_bytes, plaintext, context),
    )


def _given(profile: ProfilePublished, enrollment: UnsealedEnrollment) -> tuple[GivenConsent, ...]:
    texts = shown_consents(profile, enrollment.consents)
    given = {text.id for text in texts or ()}
    needed = {UNSEALED_CONSENT}
    if enrollment.photos:  # who asks for a PIN instead of a face consents to nothing of the face
        needed |= {text.id for text in profile.consents if text.required}
    if texts is None or not needed <= given:
        raise Malformed("consent-missing")
    return tuple(
        GivenConsent(
            text.id, text.version, text.language, hashlib.sha256(text.text.encode()).hexdigest()
        )
        for text in texts
    )


def _digest(fields: Mapping[str, bytes]) -> bytes:
    """Return SHA-256 over all fields, by which a repeated upload is known for the same."""
    whole = hashlib.sha256()
    for name in sorted(fields):
        for piece in (name.encode(), fields[name]):
            whole.update(len(piece).to_bytes(8, "big") + piece)
    return whole.digest()
