"""The key that backups are sealed to: derived from the root, which the recovery kit has on paper.

Whoever holds the kit can derive it, and so can the server, which thus makes backups without a kit.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from community_server.errors import BackupRefused
from community_server.keys.root import read_recovery_secret
from tier_link.certificates import root_public_bytes

_LABEL: Final = b"gatehouse/recovery-key/1"
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_WIDE: Final = 48
"""Bytes drawn for a scalar of 32, so that reducing it favours none (FIPS 186-5, A.2.1)."""


@dataclass(frozen=True)
class RecoveryKey:
    """The root, which signs backups, and the key derived from it, to which they are sealed."""

    root: Ed25519PrivateKey = field(repr=False)
    sealing: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def root_public(self) -> bytes:
        """The root's public key: says whose a backup is."""
        return root_public_bytes(self.root)


def recovery_key(root: Ed25519PrivateKey) -> RecoveryKey:
    """Derive what backups are sealed to."""
    derived = HKDF(SHA256(), _WIDE, salt=None, info=_LABEL).derive(root.private_bytes_raw())
    scalar = int.from_bytes(derived) % (_P256_ORDER - 1) + 1
    return RecoveryKey(root, ec.derive_private_key(scalar, ec.SECP256R1()))


def read_kit(secret: str) -> RecoveryKey:
    """Derive it from the secret of a recovery kit, as somebody typed it.

    Raises:
        BackupRefused: `kit-mistyped`.
    """
    try:
        return recovery_key(read_recovery_secret(secret))
    except ValueError as error:
        raise BackupRefused(
            "this is not the secret of a recovery kit: look for a slip of the pen, and type all "
            "of its groups",
            code="kit-mistyped",
        ) from error
