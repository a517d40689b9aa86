"""Where the master key comes from: one small interface, four sources.

A file beside the data is the demonstration's way: whoever takes the disk takes the key. A key is
changed in steps that a power cut may end anywhere: the next one is drawn and put beside the one in
use, the vault is wrapped by it, and only then it takes the other's place.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from argon2.low_level import Type, hash_secret_raw

from community_server.errors import StartRefused
from tier_kit.private_files import put_in_place, write_private

KEY_SIZE: Final = 32
SALT_SIZE: Final = 16
PASSPHRASE_VARIABLE: Final = "GATEHOUSE_SERVER_PASSPHRASE"  # noqa: S105 -- a name, no secret
CREDENTIAL: Final = "gatehouse-master-key"
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

    def draw(self) -> bytes:
        """Make the key to be, and put it beside the one in use.

        Raises:
            StartRefused: it cannot be made, or is not made here.
        """
        ...

    def upcoming(self) -> bytes | None:
        """Return a key that was drawn and has not taken its place yet, None where there is none."""
        ...

    def settle(self) -> None:
        """Put the key that was drawn into its place, for good."""
        ...


@dataclass(frozen=True)
class KeyFile:
    """A file of 32 random bytes, readable by the server's user alone."""

    path: Path

    def load(self, *, create: bool) -> bytes:
        """See `MasterKeySource.load`."""
        if not self.path.exists():
            if _next(self.path).exists():
                self.settle()
            elif create:
                write_private(self.path, secrets.token_bytes(KEY_SIZE))
        return _read_key(self.path, "attach the medium that holds it, then start again")

    def draw(self) -> bytes:
        """See `MasterKeySource.draw`."""
        key = secrets.token_bytes(KEY_SIZE)
        try:
            write_private(_next(self.path), key)
        except OSError as error:
            raise StartRefused(
                f"{self.path} cannot be written ({error.strerror})", code="master-key-missing"
            ) from error
        return key

    def upcoming(self) -> bytes | None:
        """See `MasterKeySource.upcoming`."""
        return _read_key(_next(self.path), "") if _next(self.path).exists() else None

    def settle(self) -> None:
        """See `MasterKeySource.settle`."""
        _settle(self.path)


@dataclass(frozen=True)
class Credential:
    """A credential of the service manager's, which it decrypts into memory at every start.

    systemd-creds(1) seals it to the machine's TPM; see systemd.exec(5), `LoadCredentialEncrypted=`.
    """

    name: str
    folder: str = field(default_factory=lambda: os.environ.get("CREDENTIALS_DIRECTORY", ""))

    def load(self, *, create: bool) -> bytes:
        """See `MasterKeySource.load`; such a key is never made here."""
        del create
        if not self.folder:
            raise StartRefused(
                f"the master key is the credential {self.name}, and no service manager has given "
                f"one: start by the unit, with LoadCredentialEncrypted={self.name}:<file>",
                code="master-key-missing",
            )
        return _read_key(
            Path(self.folder) / self.name, f"add LoadCredentialEncrypted={self.name}:<file>"
        )

    def draw(self) -> bytes:
        """See `MasterKeySource.draw`: `systemd-creds encrypt` has made it."""
        return self.load(create=False)

    def upcoming(self) -> bytes | None:
        """See `MasterKeySource.upcoming`."""
        return None

    def settle(self) -> None:
        """See `MasterKeySource.settle`."""


@dataclass(frozen=True)
class Passphrase:
    """A passphrase given at every start; only its salt is stored."""

    salt_path: Path
    ask: Callable[[], str]

    def load(self, *, create: bool) -> bytes:
        """See `MasterKeySource.load`."""
        passphrase = self._ask()
        if not self.salt_path.exists():
            if _next(self.salt_path).exists():
                self.settle()
            elif create:
                write_private(self.salt_path, secrets.token_bytes(SALT_SIZE))
        return self._derive(passphrase, self.salt_path)

    def draw(self) -> bytes:
        """See `MasterKeySource.draw`; `ask` gives the new passphrase."""
        passphrase = self._ask()
        write_private(_next(self.salt_path), secrets.token_bytes(SALT_SIZE))
        return self._derive(passphrase, _next(self.salt_path))

    def upcoming(self) -> bytes | None:
        """See `MasterKeySource.upcoming`."""
        if not _next(self.salt_path).exists():
            return None
        return self._derive(self._ask(), _next(self.salt_path))

    def settle(self) -> None:
        """See `MasterKeySource.settle`."""
        _settle(self.salt_path)

    def _ask(self) -> str:
        passphrase = self.ask()
        if len(passphrase) < MIN_PASSPHRASE:
            raise StartRefused(
                f"the passphrase has fewer than {MIN_PASSPHRASE} characters",
                code="passphrase-short",
            )
        return passphrase

    @staticmethod
    def _derive(passphrase: str, salt_path: Path) -> bytes:
        try:
            salt = salt_path.read_bytes()
        except OSError as error:
            raise StartRefused(
                f"{salt_path} cannot be read ({error.strerror})", code="master-key-missing"
            ) from error
        return hash_secret_raw(
            passphrase.encode(), salt, hash_len=KEY_SIZE, type=Type.ID, **_ARGON2
        )


def choose_source(
    setting: str, folder: Path, ask: Callable[[], str] | None = None
) -> MasterKeySource:
    """Return the source that `master_key` names; see `settings.Settings.master_key`.

    `ask` gives a passphrase; without it, it stands in the environment.

    Raises:
        StartRefused: no such source.
    """
    if setting == "file":
        return KeyFile(folder / "master.key")
    if setting.startswith("path:"):
        return KeyFile(Path(setting.removeprefix("path:")))
    if setting == "passphrase":
        given = ask or (lambda: os.environ.get(PASSPHRASE_VARIABLE, ""))
        return Passphrase(folder / "master.salt", given)
    kind, _, name = setting.partition(":")
    if kind == "credential":
        return Credential(name or CREDENTIAL)
    raise StartRefused(
        f"master_key is '{setting}'; it can be file, path:<file>, passphrase or credential",
        code="configuration-malformed",
    )


def _next(path: Path) -> Path:
    return path.with_name(f"{path.name}.next")


def _settle(path: Path) -> None:
    if _next(path).exists():
        put_in_place(_next(path), path)


def _read_key(path: Path, remedy: str) -> bytes:
    try:
        key = path.read_bytes()
    except OSError as error:
        raise StartRefused(
            f"the master key {path} cannot be read ({error.strerror}); {remedy}",
            code="master-key-missing",
        ) from error
    if len(key) != KEY_SIZE:
        raise StartRefused(f"{path} is not a master key", code="master-key-malformed")
    return key
