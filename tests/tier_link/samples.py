"""One community's keys and one enrollment, for tests that need a good one to spoil."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tier_link.certificates import (
    Purpose,
    SignedCertificate,
    build_certificate,
    carry_certificate,
    root_fingerprint,
    root_public_bytes,
)
from tier_link.envelopes import GivenConsent, Photo, build_enrollment
from tier_link.invitations import InvitationSecret, new_invitation
from tier_link.sealing import SealContext, new_sealing_key, sealing_public_bytes

COMMUNITY = "sunny-court-4f2a"
ENVELOPE = "00112233445566778899aabbccddeeff"
KEY = "2026-w48"
NOW = 1_795_000_000
WEEK = 7 * 24 * 3600


@dataclass
class Community:
    root: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    reply_signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    envelope_key: Any = field(default_factory=new_sealing_key)

    @property
    def fingerprint(self) -> bytes:
        return root_fingerprint(root_public_bytes(self.root))

    def certify(
        self, purpose: Purpose = "reply", community: str = COMMUNITY, not_after: int = NOW + WEEK
    ) -> SignedCertificate:
        public = (
            sealing_public_bytes(self.envelope_key)
            if purpose == "envelope"
            else root_public_bytes(self.reply_signer)
        )
        return carry_certificate(
            *build_certificate(
                self.root,
                community=community,
                purpose=purpose,
                key=f"{purpose}-1",
                public=public,
                not_before=NOW,
                not_after=not_after,
            )
        )


@dataclass
class Browser:
    """What a form in a browser holds."""

    invitation: InvitationSecret = field(default_factory=lambda: new_invitation(bytes(32)))
    reply_private: Any = field(default_factory=new_sealing_key)

    def enrollment(self, **changes: Any) -> bytes:
        fields: dict[str, Any] = {
            "auth": self.invitation.auth,
            "community": COMMUNITY,
            "envelope": ENVELOPE,
            "key": KEY,
            "kind": "resident",
            "language": "zh-CN",
            "consents": [consent("encode"), consent("keep")],
            "photos": [Photo("front", b"front" * 1000), Photo("left", b"left" * 500)],
            "reply_key": sealing_public_bytes(self.reply_private),
        }
        return build_enrollment(**(fields | changes))


def consent(name: str) -> GivenConsent:
    return GivenConsent(name, "1", "en", hashlib.sha256(name.encode()).hexdigest())


CONTEXT = SealContext(COMMUNITY, "enrollment", ENVELOPE, KEY)
