"""Trying a backup out: both files are read to their ends with the kit, and nothing is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from community_server.backups.bundle import read_bundle
from community_server.backups.making import KEYS_FILE
from community_server.backups.records import Manifest, Record, Rows, check_rows, read_records
from community_server.backups.recovery_key import RecoveryKey
from community_server.backups.sealed_file import Header, opened_file
from community_server.database import Sealed
from community_server.errors import BackupRefused
from community_server.keys.named_secrets import secret_context
from community_server.keys.root import ROOT
from community_server.people.particulars import open_known_with, owner
from community_server.vault.erasure_key import ErasureKeys
from community_server.vault.safe import SERVER, Safe, SafeBroken
from tier_link.certificates import root_public_bytes
from tier_link.store import is_known_revision

_PEOPLE: Final = "people"
_SECRETS: Final = "named_secrets"


@dataclass(frozen=True)
class Contents:
    """What is in a backup.

    `data` and `keys` are the files' headers; `people` how many would come back, and `erased` how
    many are in the data and were erased before the bundle was made.
    """

    data: Header
    keys: Header
    revision: str
    counts: Mapping[str, int]
    people: int
    erased: int


def keys_beside(data: Path) -> Path:
    """Return where a data backup's bundle lies unless it was put somewhere else."""
    return data.with_name(KEYS_FILE)


def read_keys(path: Path, key: RecoveryKey) -> tuple[Header, dict[str, bytes]]:
    """Read a bundle of keys.

    Raises:
        BackupRefused: it cannot be read, is another community's, or damaged.
    """
    with opened_file(path, key, "keys") as file:
        return file.header, read_bundle(read_records(file.chunks))


def examine(data: Path, keys: Path, key: RecoveryKey) -> Contents:
    """Read a backup as a restore would, down to everybody's names, in little memory.

    Raises:
        BackupRefused: either file cannot be used, or the two do not belong together.
    """
    bundle, held = read_keys(keys, key)
    with opened_file(data, key, "data") as file:
        if file.header.estate != bundle.estate:
            raise unfit()
        if bundle.made_at < file.header.made_at:
            raise BackupRefused(
                "the bundle of keys is older than this data backup, and whoever came between would "
                "be lost: take the bundle made with it or later, or an older data backup",
                code="keys-older",
            )
        trial = _Trial(file.header.estate, held, key)
        trial.read(read_records(file.chunks))
        return Contents(
            file.header, bundle, trial.revision, trial.counts, trial.people, trial.erased
        )


def unfit() -> BackupRefused:
    """Return the refusal of files that do not belong together."""
    return BackupRefused(
        "the bundle of keys does not belong to this data backup", code="keys-unfit"
    )


class _Trial:
    """Opens what stands in a dump, with keys that never become anybody's."""

    def __init__(self, estate: str, keys: Mapping[str, bytes], key: RecoveryKey) -> None:
        self._safe = Safe(ErasureKeys(Path(), estate, b"", {}))
        self._keys, self._key = keys, key
        self.revision, self.people, self.erased = "", 0, 0
        self.counts: dict[str, int] = {}
        self._root_found = False

    def read(self, records: Iterator[Record]) -> None:
        manifest = None
        for record in records:
            match record:
                case Manifest() if manifest is None:
                    manifest, self.revision = record, record.revision
                    if not is_known_revision("community", record.revision):
                        raise BackupRefused(
                            "a newer release of Gatehouse made this backup; install that one first",
                            code="backup-newer",
                        )
                    self.counts = dict.fromkeys(record.tables, 0)
                case Rows() if manifest is not None:
                    self._look(manifest, record)
        if not self._root_found:
            raise unfit()

    def _look(self, manifest: Manifest, record: Rows) -> None:
        rows, names = check_rows(manifest, record), manifest.tables[record.table]
        self.counts[record.table] += len(rows)
        if record.table not in {_PEOPLE, _SECRETS}:
            return
        for values in rows:
            row = dict(zip(names, values, strict=True))
            try:
                if record.table == _PEOPLE:
                    self._look_at_person(str(row["id"]), row["particulars"])
                else:
                    self._look_at_secret(str(row["name"]), row["sealed"])
            except (SafeBroken, KeyError, TypeError, ValueError) as error:
                raise unfit() from error

    def _look_at_person(self, person: str, particulars: object) -> None:
        if owner(person) not in self._keys:
            self.erased += 1
            return
        open_known_with(self._open, person, _sealed(particulars))
        self.people += 1

    def _look_at_secret(self, name: str, sealed: object) -> None:
        value = self._open(SERVER, secret_context(name), _sealed(sealed))
        if name == ROOT:
            root = Ed25519PrivateKey.from_private_bytes(value)
            self._root_found = root_public_bytes(root) == self._key.root_public

    def _open(self, owner_: str, context: str, sealed: Sealed) -> bytes:
        return self._safe.open_with(AESGCM(self._keys[owner_]), owner_, context, sealed)


def _sealed(value: object) -> Sealed:
    if not isinstance(value, bytes):
        raise TypeError("not sealed")
    return Sealed(value)
