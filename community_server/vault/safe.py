"""Sealing and opening values under their owner's data key (AES-256-GCM).

What is sealed is bound to estate, owner and context (for a template the context names its
template space), so that a row moved to another place does not open there.
"""

import os
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.database import Sealed
from community_server.errors import ServerError
from community_server.vault.erasure_key import ErasureKeys
from community_server.vault.master_key import KEY_SIZE
from community_server.vault.tables import DataKey

NONCE_SIZE: Final = 12
FORMAT: Final = b"\1"
"""First byte of everything sealed, so that another way of sealing can follow."""
SERVER: Final = "server"
"""Owner of the estate's own secrets."""


class SafeBroken(ServerError):
    """A sealed value does not open: altered, moved, or its owner was erased."""

    code = "safe-broken"


class Safe:
    """Seals and opens; keeps no data key in memory."""

    def __init__(self, erasure: ErasureKeys) -> None:
        self._erasure = erasure
        self._prefix = b"gatehouse/safe/1\0" + erasure.estate.encode() + b"\0"

    @property
    def estate(self) -> str:
        """The estate's unchanging id."""
        return self._erasure.estate

    @property
    def erasure_keys(self) -> ErasureKeys:
        """The erasure keys themselves, for a standby's vault and nothing else."""
        return self._erasure

    def add_owner(self, session: Session, owner: str) -> None:
        """Draw a data key for a new owner."""
        self.take_key(session, owner, secrets.token_bytes(KEY_SIZE))
        session.flush()

    def has_owner(self, session: Session, owner: str) -> bool:
        """Say whether this owner has a data key."""
        return session.get(DataKey, owner) is not None

    def destroy(self, session: Session, owner: str) -> None:
        """Destroy an owner's data key: whatever it sealed stays shut for ever."""
        key = session.get(DataKey, owner)
        if key is not None:
            session.delete(key)
            session.flush()

    def seal(self, session: Session, owner: str, context: str, plaintext: bytes) -> Sealed:
        """Seal a value for `owner`, to be opened in the same context only.

        Raises:
            SafeBroken: the owner has no data key.
        """
        return _encrypt(self._cipher(session, owner), self._bound(owner, context), plaintext)

    def open(self, session: Session, owner: str, context: str, sealed: Sealed) -> bytes:
        """Open a sealed value.

        Raises:
            SafeBroken: altered, from another place, or the owner's key was destroyed.
        """
        return self.open_with(self._cipher(session, owner), owner, context, sealed)

    def wrapping(self, generation: int) -> AESGCM:
        """Return the cipher that wraps data keys.

        Raises:
            SafeBroken: a generation from before an erasure.
        """
        try:
            return AESGCM(self._erasure.keys[generation])
        except KeyError as error:
            raise SafeBroken("a data key from before an erasure: it stays shut") from error

    def cipher(self, wrapping: AESGCM, owner: str, wrapped: Sealed) -> AESGCM:
        """Return the cipher of an owner whose wrapped data key is at hand.

        Raises:
            SafeBroken: the key was altered, or is another owner's.
        """
        return AESGCM(_decrypt(wrapping, self._bound(owner, "data-key"), wrapped))

    def data_key(self, owner: str, generation: int, wrapped: Sealed) -> bytes:
        """Return an owner's data key itself, for the bundle beside data backups and nothing else.

        Raises:
            SafeBroken: it was altered, is another owner's, or from before an erasure.
        """
        return _decrypt(self.wrapping(generation), self._bound(owner, "data-key"), wrapped)

    def take_key(self, session: Session, owner: str, key: bytes) -> None:
        """Give an owner a data key that came back from a bundle."""
        generation = self._erasure.generation
        wrapped = self._wrap(owner, generation, key)
        session.add(DataKey(owner=owner, generation=generation, wrapped=wrapped))

    def open_with(self, cipher: AESGCM, owner: str, context: str, sealed: Sealed) -> bytes:
        """Open a sealed value with its owner's cipher.

        Raises:
            SafeBroken: altered, or from another place.
        """
        return _decrypt(cipher, self._bound(owner, context), sealed)

    def draw_next(self) -> int:
        """Draw the next erasure key, which wraps nothing yet; return its generation."""
        return self._erasure.draw()

    def begin_renewal(self, *, afresh: bool = False) -> None:
        """Take the next erasure key into use for new data keys: the one drawn, or another."""
        self._erasure.add_generation(afresh=afresh)

    def rewrap(self, session: Session) -> int:
        """Wrap the living data keys with the newest erasure key; return how many had an older."""
        newest = self._erasure.generation
        stale = session.scalars(
            select(DataKey).where(DataKey.generation != newest).with_for_update()
        ).all()
        for row in stale:
            key = self.data_key(row.owner, row.generation, row.wrapped)
            row.wrapped = self._wrap(row.owner, newest, key)
            row.generation = newest
        return len(stale)

    def finish_renewal(self, session: Session) -> bool:
        """Forget the older erasure keys once no data key needs them; say whether that was so."""
        newest = self._erasure.generation
        needed = session.scalar(
            select(func.count()).select_from(DataKey).where(DataKey.generation != newest)
        )
        if not needed and len(self._erasure.keys) > 1:
            self._erasure.drop_older()
        return not needed

    @property
    def renewing(self) -> bool:
        """Whether an older erasure key still exists."""
        return len(self._erasure.keys) > 1

    @property
    def drawn(self) -> bool:
        """Whether the next erasure key was drawn already."""
        return self._erasure.upcoming is not None

    def renew_soon(self) -> None:
        """Have the erasure key renewed at the next look, and with it what is renewed before it."""
        os.utime(self._erasure.path, (0, 0))

    @property
    def renewed_at(self) -> float:
        """When the erasure key was last renewed, or the next one drawn, in Unix seconds."""
        return self._erasure.path.stat().st_mtime

    def _cipher(self, session: Session, owner: str) -> AESGCM:
        row = session.get(DataKey, owner)
        if row is None:
            raise SafeBroken("nothing of this owner can be opened: the data key is gone")
        return self.cipher(self.wrapping(row.generation), owner, row.wrapped)

    def _wrap(self, owner: str, generation: int, key: bytes) -> Sealed:
        return _encrypt(self.wrapping(generation), self._bound(owner, "data-key"), key)

    def _bound(self, owner: str, context: str) -> bytes:
        return self._prefix + f"{owner}\0{context}".encode()


def _encrypt(cipher: AESGCM, bound: bytes, plaintext: bytes) -> Sealed:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return Sealed(FORMAT + nonce + cipher.encrypt(nonce, plaintext, bound))


def _decrypt(cipher: AESGCM, bound: bytes, sealed: Sealed) -> bytes:
    if not sealed.startswith(FORMAT):
        raise SafeBroken("sealed in a way this version does not know")
    nonce, ciphertext = sealed[1 : 1 + NONCE_SIZE], sealed[1 + NONCE_SIZE :]
    try:
        return cipher.decrypt(nonce, ciphertext, bound)
    except (InvalidTag, ValueError) as error:
        raise SafeBroken("a sealed value was altered or moved") from error
