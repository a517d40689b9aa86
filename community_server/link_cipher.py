"""Roster messages hold templates: the outbox keeps them encrypted (AES-256-GCM)."""

import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12
_LABEL: Final = b"gatehouse/outbox/1\0"


class OutboxCipher:
    """A `tier_link.store.BodyCipher`."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, body: bytes) -> bytes:
        """Return what is stored."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, body, _LABEL)

    def decrypt(self, stored: bytes) -> bytes:
        """Return the body of what `encrypt` made."""
        return self._cipher.decrypt(stored[:NONCE_SIZE], stored[NONCE_SIZE:], _LABEL)
