"""The root signing key and its recovery kit on paper."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from community_server.keys.named_secrets import keep_secret
from community_server.vault.safe import Safe
from tier_link.certificates import root_fingerprint, root_public_bytes

ROOT: Final = "root"
"""The name of the secret that holds its private key."""
_CHECK_SIZE: Final = 3
"""Bytes of checksum: catches a slip of the pen, and 32 + 3 bytes fill base32 groups exactly."""
_GROUP: Final = 4


@dataclass(frozen=True)
class RecoveryKit:
    """What is printed once at set-up and kept off every computer.

    `secret` is the root's private key with a checksum, in base32 groups of four.
    """

    community: str
    fingerprint: str
    made_on: str
    secret: str = field(repr=False)


def root_key(session: Session, safe: Safe) -> Ed25519PrivateKey:
    """Return the community's root key, drawn at the first call."""
    raw = keep_secret(session, safe, ROOT, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(raw)


def make_recovery_kit(root: Ed25519PrivateKey, community: str, now: int) -> RecoveryKit:
    """Write the root down for paper."""
    raw = root.private_bytes_raw()
    text = base64.b32encode(raw + hashlib.sha256(raw).digest()[:_CHECK_SIZE]).decode()
    return RecoveryKit(
        community=community,
        fingerprint=root_fingerprint(root_public_bytes(root)).hex(),
        made_on=datetime.fromtimestamp(now, UTC).date().isoformat(),
        secret=" ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP)),
    )


def read_recovery_secret(secret: str) -> Ed25519PrivateKey:
    """Read the secret of a recovery kit back from paper.

    Raises:
        ValueError: mistyped: the checksum does not fit.
    """
    raw = base64.b32decode("".join(secret.split()).upper())
    key, check = raw[:-_CHECK_SIZE], raw[-_CHECK_SIZE:]
    if hashlib.sha256(key).digest()[:_CHECK_SIZE] != check:
        raise ValueError("the recovery secret was mistyped: its checksum does not fit")
    return Ed25519PrivateKey.from_private_bytes(key)
