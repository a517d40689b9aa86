"""One community with keys that never change, so that what was found stays an input of worth."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.tier_link.samples import Browser, Community
from tier_link.certificates import root_public_bytes
from tier_link.invitations import InvitationSecret


def curve_key(number: int) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key with this scalar."""
    return ec.derive_private_key(number, ec.SECP256R1())


COMMUNITY: Final = Community(
    root=Ed25519PrivateKey.from_private_bytes(b"\1" * 32),
    reply_signer=Ed25519PrivateKey.from_private_bytes(b"\2" * 32),
    envelope_key=curve_key(3),
)
ROOT_PUBLIC: Final = root_public_bytes(COMMUNITY.root)
PHONE: Final = curve_key(4)
BROWSER: Final = Browser(InvitationSecret(b"\5" * 16, COMMUNITY.fingerprint), PHONE)
