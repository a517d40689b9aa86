"""The secrets that make this device this door: its sealing key, in the `available` mode.

The key lies in a file that only the terminal's user can read. That survives a power cut without
any server; a thief of the whole device gets it with the data, which is why rosters are small and
a stolen door means new PINs.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from door_terminal.errors import SecretDamaged, StartRefused
from tier_kit.private_files import write_private

_KEY_FILE = "device.key"
_KEY_SIZE = 32
_NONCE_SIZE = 12
_DOMAIN = b"gatehouse/door/1"


class DeviceKey:
    """AES-256-GCM under the device's key; the context is authenticated and never stored."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, folder: Path) -> "DeviceKey":
        """Load the key of a data folder, made at the first call.

        Raises:
            StartRefused: the file is not a key (`data-unusable`).
        """
        path = folder / _KEY_FILE
        if not path.exists():
            write_private(path, os.urandom(_KEY_SIZE))
        key = path.read_bytes()
        if len(key) != _KEY_SIZE:
            raise StartRefused(f"{path} is not a device key", code="data-unusable")
        return cls(key)

    def seal(self, plaintext: bytes, *context: str) -> bytes:
        """Return nonce and ciphertext, bound to the context."""
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, plaintext, _associated(context))

    def open_sealed(self, sealed: bytes, *context: str) -> bytes:
        """Return what was sealed under the same context.

        Raises:
            SecretDamaged: altered, another key's, or another context's.
        """
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], _associated(context)
            )
        except (InvalidTag, ValueError) as error:
            raise SecretDamaged(f"cannot open what was sealed for {context[:1]}") from error


def _associated(context: tuple[str, ...]) -> bytes:
    # Ids and names of template spaces hold no NUL, so that two contexts never read alike.
    return b"\0".join((_DOMAIN, *(part.encode() for part in context)))
