"""The key under which a door keeps its roster, in one of two ways that the installer chooses.

*Available*: it lies in a file that only the terminal's user can read. That survives a power cut
without any server; a thief of the whole device gets it with the data, which is why rosters are
small and a stolen door means new PINs. *Confidential*: it is in memory alone, and comes from the
server over the link after each start; until then this door knows nobody.
"""

import os
from pathlib import Path
from threading import Event
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from door_terminal.errors import KeyAwaited, SecretDamaged, StartRefused
from tier_kit.private_files import write_private

Custody = Literal["available", "confidential"]

KEY_FILE: Final = "device.key"
_KEY_SIZE = 32
_NONCE_SIZE = 12
_DOMAIN = b"gatehouse/door/1"


class DeviceKey:
    """AES-256-GCM under the device's key; the context is authenticated and never stored."""

    def __init__(self, key: bytes | None = None) -> None:
        """Take the key; None where it is still to come."""
        self._cipher: AESGCM | None = None
        self._here = Event()
        if key is not None:
            self.provide(key)

    @classmethod
    def open(cls, folder: Path) -> "DeviceKey":
        """Load the key of a data folder, made at the first call.

        Raises:
            StartRefused: the file is not a key (`data-unusable`).
        """
        path = folder / KEY_FILE
        if not path.exists():
            write_private(path, os.urandom(_KEY_SIZE))
        key = path.read_bytes()
        if len(key) != _KEY_SIZE:
            raise StartRefused(f"{path} is not a device key", code="data-unusable")
        return cls(key)

    @property
    def here(self) -> bool:
        """Whether anything can be sealed or opened."""
        return self._here.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until the key is here, at most so long; say whether it is."""
        return self._here.wait(seconds)

    def provide(self, key: bytes) -> None:
        """Use this key from now on; 32 bytes."""
        self._cipher = AESGCM(key)
        self._here.set()

    def seal(self, plaintext: bytes, *context: str) -> bytes:
        """Return nonce and ciphertext, bound to the context.

        Raises:
            KeyAwaited: the key has not come yet.
        """
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + self._known().encrypt(nonce, plaintext, _associated(context))

    def open_sealed(self, sealed: bytes, *context: str) -> bytes:
        """Return what was sealed under the same context.

        Raises:
            SecretDamaged: altered, another key's, or another context's.
            KeyAwaited: the key has not come yet.
        """
        try:
            return self._known().decrypt(
                sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], _associated(context)
            )
        except (InvalidTag, ValueError) as error:
            raise SecretDamaged(f"cannot open what was sealed for {context[:1]}") from error

    def _known(self) -> AESGCM:
        if self._cipher is None:
            raise KeyAwaited("the key of this door has not come from the server yet")
        return self._cipher


def _associated(context: tuple[str, ...]) -> bytes:
    # Ids and names of template spaces hold no NUL, so that two contexts never read alike.
    return b"\0".join((_DOMAIN, *(part.encode() for part in context)))
