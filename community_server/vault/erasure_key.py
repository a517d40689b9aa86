"""The erasure key and its renewals, in one file wrapped by the master key.

The file also holds the estate's id, which never changes and is part of what every sealed
value is bound to.
"""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from community_server.errors import VaultLocked
from community_server.vault.master_key import KEY_SIZE, MasterKeySource
from tier_kit.private_files import write_private

NONCE_SIZE: Final = 12
_LABEL: Final = b"gatehouse/erasure-key/1\0"


@dataclass
class ErasureKeys:
    """The living generations of the erasure key, oldest first; new keys use the last.

    `upcoming` was drawn and wraps nothing yet: a standby is given it first.
    """

    path: Path
    estate: str
    master: bytes = field(repr=False)
    keys: dict[int, bytes] = field(repr=False)
    upcoming: tuple[int, bytes] | None = field(default=None, repr=False)

    @property
    def generation(self) -> int:
        """The generation that wraps new data keys."""
        return max(self.keys)

    def draw(self) -> int:
        """Draw the next key, on disk alone, unless there is one; return its generation."""
        if self.upcoming is None:
            self.replace(self.keys, self._next())
        return self.generation + 1

    def add_generation(self, *, afresh: bool = False) -> None:
        """Put the next key beside the older ones, on disk before in use.

        It is the one that was drawn, if any, or with `afresh` another that nobody has seen.
        """
        number, key = (None if afresh else self.upcoming) or self._next()
        self.replace(self.keys | {number: key})

    def drop_older(self) -> None:
        """Forget every generation but the last; what they wrapped is gone for good."""
        self.replace({self.generation: self.keys[self.generation]}, self.upcoming)

    def hand_over(self, master: bytes) -> None:
        """Keep the newest generation alone, wrapped by another master key from now on."""
        self.master = master
        self.drop_older()

    def replace(self, keys: dict[int, bytes], upcoming: tuple[int, bytes] | None = None) -> None:
        """Keep these and no others, on disk before in use."""
        document: dict[str, object] = {"version": 1, "estate": self.estate}
        document["keys"] = self._wrapped(keys)
        if upcoming is not None:
            document["upcoming"] = self._wrapped(dict([upcoming]))
        write_private(self.path, json.dumps(document, indent=1).encode())
        self.keys = keys
        self.upcoming = upcoming

    def _next(self) -> tuple[int, bytes]:
        return self.generation + 1, secrets.token_bytes(KEY_SIZE)

    def _wrapped(self, keys: dict[int, bytes]) -> list[dict[str, object]]:
        return [
            {"generation": generation, "wrapped": _text(_wrap(self, generation, key))}
            for generation, key in sorted(keys.items())
        ]


def open_erasure_keys(path: Path, source: MasterKeySource, *, estate: str = "") -> ErasureKeys:
    """Read the erasure keys, or make the first one where there is no file yet.

    `estate` is the id that a new vault is to have, where it takes an earlier one's place.

    Raises:
        VaultLocked: the master key is not the one that wrapped them, or the file is damaged.
        StartRefused: the master key is missing.
    """
    first = not path.exists()
    master = source.load(create=first)
    if first:
        keys = ErasureKeys(path, estate or secrets.token_hex(16), master, {0: b""})
        keys.add_generation()
        keys.drop_older()
        return keys
    try:
        return _read(path, master)
    except InvalidTag as error:
        upcoming = source.upcoming()
        if upcoming is None:
            raise _locked(path) from error
    try:
        # A change of the master key was cut short after the vault had been wrapped by the new one.
        keys = _read(path, upcoming)
    except InvalidTag as error:
        raise _locked(path) from error
    source.settle()
    return keys


def _read(path: Path, master: bytes) -> ErasureKeys:
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        keys = ErasureKeys(path, document["estate"], master, {})
        keys.keys.update(_unwrapped(keys, document["keys"]))
        keys.upcoming = next(_unwrapped(keys, document.get("upcoming", [])), None)
    except (ValueError, KeyError, TypeError) as error:
        raise VaultLocked(f"{path} is damaged") from error
    return keys


def _unwrapped(keys: ErasureKeys, entries: list[dict[str, Any]]) -> Iterator[tuple[int, bytes]]:
    for entry in entries:
        generation = int(entry["generation"])
        yield generation, _unwrap(keys, generation, b64decode(entry["wrapped"]))


def _locked(path: Path) -> VaultLocked:
    return VaultLocked(
        "the master key does not open this vault: another key, another passphrase, "
        f"or {path} was changed"
    )


def _bound(keys: ErasureKeys, generation: int) -> bytes:
    return _LABEL + f"{keys.estate}\0{generation}".encode()


def _wrap(keys: ErasureKeys, generation: int, key: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(keys.master).encrypt(nonce, key, _bound(keys, generation))


def _unwrap(keys: ErasureKeys, generation: int, wrapped: bytes) -> bytes:
    nonce, box = wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:]
    return AESGCM(keys.master).decrypt(nonce, box, _bound(keys, generation))


def _text(data: bytes) -> str:
    return b64encode(data).decode()
