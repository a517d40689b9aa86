"""A community that makes passes, for tests of whoever reads them."""

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tier_link.certificates import build_certificate, root_fingerprint, root_public_bytes
from tier_link.estate_messages import PassRules
from tier_link.passes import (
    PassClaim,
    build_code,
    build_pass,
    pass_text,
    phone_public,
    step_at,
)
from tier_link.relay_messages import CarriedCertificate

DAY = 24 * 3600
KEY_ID = "5e" * 16


@dataclass
class PassMaker:
    """Root, pass key and a resident's phone of one community, at `now` (Unix seconds)."""

    now: int
    community: str = "sunny-court-4f2a"
    root: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    phone: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def fingerprint(self) -> bytes:
        return root_fingerprint(root_public_bytes(self.root))

    @property
    def phone_key(self) -> bytes:
        return phone_public(self.phone)

    def rules(self, *revoked: str) -> PassRules:
        certificate = build_certificate(
            self.root,
            community=self.community,
            purpose="pass",
            key=KEY_ID,
            public=root_public_bytes(self.signer),
            not_before=self.now - 30 * DAY,
            not_after=self.now + 90 * DAY,
        )
        carried = CarriedCertificate(*certificate)
        return PassRules(self.community, root_public_bytes(self.root), (carried,), revoked)

    def fixed(self, pass_id: str = "01" * 8, **more: Any) -> str:
        fields: dict[str, Any] = {
            "category": "visitor",
            "begins": self.now - 60,
            "ends": self.now + 3600 - 60,
            "alone": True,
        }
        claim = PassClaim(pass_id, **(fields | more))
        return pass_text(build_pass(self.signer, KEY_ID, self.fingerprint, claim))

    def code(self, pass_id: str = "02" * 8, *, steps_ago: int = 0, now: float = 0) -> str:
        step = step_at(now or self.now) - steps_ago
        return pass_text(build_code(self.phone, self.fingerprint, pass_id, step))
