"""Opening everybody's sealed values at the start: data keys read at once, ciphers kept at hand."""

from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.database import Sealed
from community_server.vault.safe import Safe, SafeBroken
from community_server.vault.tables import DataKey


class BulkOpener:
    """Opens values of many owners, whose wrapped data keys it holds for as long as it lives.

    Quickest when the values of one owner are opened one after another.
    """

    def __init__(self, session: Session, safe: Safe) -> None:
        self._safe: Final = safe
        columns = select(DataKey.owner, DataKey.generation, DataKey.wrapped)
        self._wrapped = {
            owner: (generation, wrapped) for owner, generation, wrapped in session.execute(columns)
        }
        self._wrapping: dict[int, AESGCM] = {}
        self._owner = ""
        self._cipher: AESGCM | None = None

    def open(self, owner: str, context: str, sealed: Sealed) -> bytes:
        """Open a sealed value.

        Raises:
            SafeBroken: altered, from another place, or the owner's key was destroyed.
        """
        if owner != self._owner or self._cipher is None:
            if owner not in self._wrapped:
                raise SafeBroken("nothing of this owner can be opened: the data key is gone")
            generation, wrapped = self._wrapped[owner]
            if generation not in self._wrapping:
                self._wrapping[generation] = self._safe.wrapping(generation)
            self._cipher = self._safe.cipher(self._wrapping[generation], owner, wrapped)
            self._owner = owner
        return self._safe.open_with(self._cipher, owner, context, sealed)
