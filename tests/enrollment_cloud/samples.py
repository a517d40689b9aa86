"""What a community publishes and what people send, made anew for each test."""

import os
import time
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from enrollment_cloud.communities.profiles import UNSEALED_CONSENT, publish_profile
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.invitations.service import publish_invitations
from tier_link.certificates import (
    Purpose,
    SignedCertificate,
    build_certificate,
    carry_certificate,
    root_fingerprint,
    root_public_bytes,
)
from tier_link.invitations import InvitationSecret, LinkKind, new_invitation
from tier_link.relay_messages import (
    CarriedCertificate,
    ConsentText,
    EnvelopeDeposited,
    ProfilePublished,
    PublishedInvitation,
)
from tier_link.sealing import (
    PADDED_SIZES,
    SEAL_OVERHEAD,
    SUITE_NAME,
    new_sealing_key,
    sealing_public_bytes,
)

COMMUNITY = "sunny-court-4f2a"
NAME = "阳光小区"
HOUR = 3600
WEEK = 7 * 24 * HOUR


@dataclass(frozen=True)
class CommunityKeys:
    """A community's keys, as its server would hold them."""

    community: str = COMMUNITY
    root: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    envelope: ec.EllipticCurvePrivateKey = field(default_factory=new_sealing_key)
    reply: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def fingerprint(self) -> bytes:
        """What an invitation carries of the root."""
        return root_fingerprint(root_public_bytes(self.root))

    def certify(
        self, purpose: Purpose, key: str, public: bytes, lasts: int = WEEK, since: int = -HOUR
    ) -> CarriedCertificate:
        """Certify a key from `since` seconds from now on, for `lasts` seconds."""
        now = int(time.time())
        return CarriedCertificate(
            *build_certificate(
                self.root,
                community=self.community,
                purpose=purpose,
                key=key,
                public=public,
                not_before=now + since,
                not_after=now + since + lasts,
            )
        )

    @property
    def envelope_certificate(self) -> CarriedCertificate:
        """The certificate of the key that envelopes are sealed to, `w1`."""
        return self.certify("envelope", "w1", sealing_public_bytes(self.envelope))

    @property
    def reply_certificate(self) -> SignedCertificate:
        """The certificate of the key that signs replies, as a reply carries it."""
        carried = self.certify("reply", "r1", root_public_bytes(self.reply))
        return carry_certificate(carried.certificate, carried.signature)

    def profile(self, *, unsealed: bool = False) -> ProfilePublished:
        """What the server would publish."""
        return ProfilePublished(
            name=NAME,
            root_public=root_public_bytes(self.root),
            certificates=(self.envelope_certificate,),
            consents=consents(),
            unsealed_uploads=unsealed,
            languages=("zh-CN", "en"),
        )

    def invitation(self) -> InvitationSecret:
        """A fresh invitation."""
        return new_invitation(self.fingerprint)


def consents() -> tuple[ConsentText, ...]:
    """Consents in both languages: one that everybody gives, one for unsealed uploads."""
    return tuple(
        ConsentText(name, "1", language, required, f"{name} {language}", f"Text of {name}.")
        for name, required in (("encode", True), (UNSEALED_CONSENT, False))
        for language in ("zh-CN", "en")
    )


def published(
    invitation: InvitationSecret, kind: LinkKind = "resident", lasts: int = WEEK
) -> PublishedInvitation:
    """Return an invitation as the cloud learns of it."""
    return PublishedInvitation(invitation.id, kind, int(time.time()) + lasts)


def populate(session: Session, keys: CommunityKeys, *invitations: InvitationSecret) -> None:
    """Put a community that has paired and published into the database."""
    session.add(Community(id=keys.community, name=NAME, created_at=1, paired_at=1))
    session.flush()
    publish_profile(session, keys.community, keys.profile())
    publish_invitations(session, keys.community, [published(one) for one in invitations])


def sealed_envelope(invitation: InvitationSecret, at: int) -> EnvelopeDeposited:
    """An envelope of random bytes, received `at`: to the cloud they look like any other."""
    return EnvelopeDeposited(
        envelope=os.urandom(16).hex(),
        invitation=invitation.id,
        key="w1",
        suite=SUITE_NAME,
        sealed_by="browser",
        received_at=at,
        sealed=os.urandom(PADDED_SIZES[0] + SEAL_OVERHEAD),
    )
