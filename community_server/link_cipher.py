"""What waits for a link is kept encrypted (AES-256-GCM): the doors' part holds templates.

The cloud's part holds what the cloud may see anyway, under a key that lasts, so that a backup's
opens. The doors' part is under a key of its own, a data key like a person's: it is renewed before
each renewal of the erasure key, so that no copy of the database gives back the rosters of before.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import CLOUD
from community_server.vault.safe import Safe
from community_server.vault.tables import DataKey

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12
LABEL: Final = b"gatehouse/outbox/1\0"
OWNER: Final = "outbox:"
"""Begins the owner of a key of the doors' part; its number follows."""


class OutboxCipher:
    """A `tier_link.store.BodyCipher`."""

    def __init__(self, key: bytes) -> None:
        """Take the key that lasts; `read_keys` brings the others."""
        self._lasting = AESGCM(key)
        self._doors: dict[int, AESGCM] = {}

    def read_keys(self, session: Session, safe: Safe) -> None:
        """Read the keys of the doors' part; the first one is drawn at the first call."""
        if not _owners(session):
            safe.add_owner(session, f"{OWNER}1")
        self._doors = {
            int(row.owner.removeprefix(OWNER)): safe.cipher(
                safe.wrapping(row.generation), row.owner, row.wrapped
            )
            for row in _owners(session)
        }

    @property
    def renewing(self) -> bool:
        """Whether an older key of the doors' part still exists."""
        return len(self._doors) > 1

    def add_key(self, session: Session, safe: Safe) -> None:
        """Draw the next key of the doors' part; it is used once `read_keys` has read it."""
        safe.add_owner(session, f"{OWNER}{max(self._doors) + 1}")

    def destroy_older(self, session: Session, safe: Safe) -> None:
        """Destroy all keys of the doors' part but the newest, under which everything is now."""
        for number in sorted(self._doors)[:-1]:
            safe.destroy(session, f"{OWNER}{number}")

    def encrypt(self, peer: str, body: bytes) -> bytes:
        """Return what is stored."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        return nonce + self._ciphers(peer)[0].encrypt(nonce, body, LABEL)

    def decrypt(self, peer: str, stored: bytes) -> bytes:
        """Return the body of what `encrypt` made, with an older key, too, while it exists.

        Raises:
            InvalidTag: no key opens it.
        """
        nonce, box = stored[:NONCE_SIZE], stored[NONCE_SIZE:]
        *others, last = self._ciphers(peer)
        for cipher in others:
            try:
                return cipher.decrypt(nonce, box, LABEL)
            except InvalidTag:
                continue
        return last.decrypt(nonce, box, LABEL)

    def _ciphers(self, peer: str) -> list[AESGCM]:
        # Release 0.1 kept the doors' part under the key that lasts.
        doors = [] if peer == CLOUD else [self._doors[one] for one in sorted(self._doors)[::-1]]
        return [*doors, self._lasting]


def _owners(session: Session) -> list[DataKey]:
    return list(session.scalars(select(DataKey).where(DataKey.owner.startswith(OWNER))))
