"""Where the master key comes from: one small interface, three sources.

A file beside the data is the demonstration's way: whoever takes the disk takes the key.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from argon2.low_level import Type, hash_secret_raw

from community_server.errors import StartRefused
from tier_kit.private_files import write_private

KEY_SIZE: Final = 32
SALT_SIZE: Final = 16
PASSPHRASE_VARIABLE: Final = "GATEHOUSE_SERVER_PASSPHRASE"  # noqa: S105 -- a name, no secret
MIN_PASSPHRASE: Final = 12
"""Characters: argon2id slows guessing down, length has to do the rest."""

# RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes.
_ARGON2: Final = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}


class MasterKeySource(Protocol):
    """Gives the 32 bytes that open the vault."""

    def load(self, *, create: bool) -> bytes:
        """Return the key; `create` allows making one, at the very first start.

        Raises:
            StartRefused: there is no key, or it is not one.
        """
        ...


@dataclass(frozen=True)
class KeyFile:
    """A file of 32 random bytes, readable by the server's user alone."""

    path: Path

    def load(self, *, create: bool) -> bytes:
        """See `MasterKeySource.load`."""
        if create and not self.path.exists():
            write_private(self.path, secrets.token_bytes(KEY_SIZE))
        try:
            key = self.path.read_bytes()
        except OSError as error:
            raise StartRefused(
                f"the master key {self.path} cannot be read ({error.strerror}); "
                "attach the medium that holds it, then start again",
                code="master-key-missing",
            ) from error
        if len(key) != KEY_SIZE:
            raise StartRefused(f"{self.path} is not a master key", code="master-key-malformed")
        return key


@dataclass(frozen=True)
class Passphrase:
    """A passphrase given at every start; only its salt is stored."""

    salt_path: Path
    ask: Callable[[], str]

    def load(self, *, create: bool) -> bytes:
        """See `MasterKeySource.load`."""
        passphrase = self.ask()
        if len(passphrase) < MIN_PASSPHRASE:
            raise StartRefused(
                f"the passphrase has fewer than {MIN_PASSPHRASE} characters",
                code="passphrase-short",
            )
        if create and not self.salt_path.exists():
            write_private(self.salt_path, secrets.token_bytes(SALT_SIZE))
        try:
            salt = self.salt_path.read_bytes()
        except OSError as error:
            raise StartRefused(
                f"{self.salt_path} cannot be read ({error.strerror})", code="master-key-missing"
            ) from error
        return hash_secret_raw(
            passphrase.encode(), salt, hash_len=KEY_SIZE, type=Type.ID, **_ARGON2
        )


def choose_source(setting: str, folder: Path) -> MasterKeySource:
    """Return the source that `master_key` names; see `settings.Settings.master_key`.

    Raises:
        StartRefused: no such source.
    """
    if setting == "file":
        return KeyFile(folder / "master.key")
    if setting.startswith("path:"):
        return KeyFile(Path(setting.removeprefix("path:")))
    if setting == "passphrase":
        return Passphrase(folder / "master.salt", lambda: os.environ.get(PASSPHRASE_VARIABLE, ""))
    raise StartRefused(
        f"master_key is '{setting}'; it can be file, path:<file> or passphrase",
        code="configuration-malformed",
    )
