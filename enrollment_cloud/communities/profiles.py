"""What a community tells the public: its name, root key, certified keys and consents."""

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment_cloud.communities.tables import Community
from tier_kit.forms.errors import Busy, NotFound
from tier_link.certificates import Certificate, verify_certificate
from tier_link.errors import CertificateRefused
from tier_link.relay_messages import RELAY, ConsentText, Language, ProfilePublished

UNSEALED_CONSENT = "unsealed"
"""Id of the consent that only unsealed uploads need: that the cloud sees the photo."""

_RETRY_SECONDS = 60


def publish_profile(session: Session, community: str, profile: ProfilePublished) -> None:
    """Keep what a community published, in place of what it published before.

    Nothing in it is believed here: the browser checks root and certificates against the
    invitation's fingerprint, and `current_envelope_key` checks before the cloud seals.
    """
    row = session.get_one(Community, community)
    row.name = profile.name
    row.profile = RELAY.encode(profile)


def root_of(session: Session, community: str) -> bytes:
    """Return a community's public root key as it published it, empty before that."""
    body = session.scalar(select(Community.profile).where(Community.id == community))
    profile = RELAY.decode(RELAY.kind(ProfilePublished), body) if body else None
    return profile.root_public if isinstance(profile, ProfilePublished) else b""


def require_published(session: Session, community: str) -> None:
    """Check that a community is here and has published, without reading what.

    Raises:
        NotFound: no such community, or not any more (`community-unknown`).
        Busy: it has not paired or not published yet (`community-not-ready`).
    """
    row = session.execute(
        select(Community.revoked_at, Community.profile.is_not(None)).where(
            Community.id == community
        )
    ).one_or_none()
    if row is None or row[0] is not None:
        raise NotFound("community-unknown")
    if not row[1]:
        raise Busy("community-not-ready", retry_after=_RETRY_SECONDS)


def find_profile(session: Session, community: str) -> ProfilePublished:
    """Return what a community published last.

    Raises:
        FormRefused: as `require_published`.
    """
    require_published(session, community)
    body = session.scalars(select(Community.profile).where(Community.id == community)).one()
    profile = RELAY.decode(RELAY.kind(ProfilePublished), body or b"")
    assert isinstance(profile, ProfilePublished)  # noqa: S101  # decoded by that kind
    return profile


def takes_unsealed_uploads(profile: ProfilePublished) -> bool:
    """Say whether the community switched them on and published the consent they need."""
    return profile.unsealed_uploads and any(
        consent.id == UNSEALED_CONSENT for consent in profile.consents
    )


def current_envelope_key(profile: ProfilePublished, community: str, now: int) -> Certificate:
    """Return the certified envelope key that holds longest from `now` (Unix seconds).

    Raises:
        Busy: the community has published none that holds (`community-not-ready`).
    """
    root = Ed25519PublicKey.from_public_bytes(profile.root_public)
    best: Certificate | None = None
    for carried in profile.certificates:
        try:
            certificate = verify_certificate(
                carried.certificate,
                carried.signature,
                root,
                community=community,
                purpose="envelope",
                now=now,
            )
        except CertificateRefused:
            continue  # another purpose, or over
        if best is None or certificate.not_after > best.not_after:
            best = certificate
    if best is None:
        raise Busy("community-not-ready", retry_after=_RETRY_SECONDS)
    return best


class ChosenConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent as a client without a browser names it."""

    id: str
    version: str
    language: Language


def shown_consents(
    profile: ProfilePublished, chosen: tuple[ChosenConsent, ...]
) -> tuple[ConsentText, ...] | None:
    """Return the published texts that were chosen, or None if one of them was not published."""
    published = {(text.id, text.version, text.language): text for text in profile.consents}
    texts = [published.get((one.id, one.version, one.language)) for one in chosen]
    return tuple(text for text in texts if text is not None) if all(texts) else None
