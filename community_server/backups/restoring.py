"""Putting an estate back: rows into an empty database, its keys into a vault made anew.

Data keys come last. Until then the database counts as empty, so that a restore that was stopped
half-way is simply begun again; a file in the data folder keeps the server from starting meanwhile.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.backups.loading import empty, is_living, load
from community_server.backups.records import read_records
from community_server.backups.recovery_key import RecoveryKey
from community_server.backups.revival import Revived, revive, take_keys
from community_server.backups.sealed_file import opened_file
from community_server.backups.trial import Contents, examine, read_keys, unfit
from community_server.change import Change, eraser
from community_server.database import report_full_disk
from community_server.errors import StartRefused
from community_server.instance_lock import InstanceLock
from community_server.keys.named_secrets import keep_secret
from community_server.keys.root import root_key
from community_server.link_cipher import OutboxCipher
from community_server.receipts.erasures import note_versions
from community_server.settings import Settings
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import choose_source
from community_server.vault.safe import Safe, SafeBroken
from tier_kit.private_files import sync_folder, write_private
from tier_link.certificates import root_public_bytes
from tier_link.store import LinkStore, open_database

_log = logging.getLogger(__name__)

UNFINISHED: Final = "restoring"
"""Name of the file that stands in the data folder while a restore is under way."""


@dataclass(frozen=True)
class Restored:
    """What was put back; `epoch` is the new one."""

    contents: Contents
    revived: Revived
    epoch: int


def restore(settings: Settings, data: Path, keys: Path, key: RecoveryKey) -> Restored:
    """Put a backup back into the empty data folder and database that the settings name.

    Raises:
        BackupRefused: see `trial.examine`; nothing was changed.
        StartRefused: `database-not-empty`, `data-not-empty`, `already-running`, or the master key
            is missing.
    """
    contents = examine(data, keys, key)
    lock = InstanceLock(settings.data)
    try:
        engine = open_database(settings.database_url)
        try:
            report_full_disk(engine)
            lock.take_database(engine)
            return _Restore(settings, engine, key).run(contents, data, keys)
        finally:
            engine.dispose()
    finally:
        lock.release()


def refuse_unfinished(folder: Path) -> None:
    """Keep a server from starting on what a restore has left half-way.

    Raises:
        StartRefused: `restore-unfinished`.
    """
    if (folder / UNFINISHED).exists():
        raise StartRefused(
            "a restore was interrupted here: run `gatehouse server restore` again, with the same "
            "backup or another",
            code="restore-unfinished",
        )


class _Restore:
    """One restore under way."""

    def __init__(self, settings: Settings, engine: Engine, key: RecoveryKey) -> None:
        self._settings, self._engine, self._key = settings, engine, key
        self._mark = settings.data / UNFINISHED
        self._vault = settings.data / "vault"

    def run(self, contents: Contents, data: Path, keys: Path) -> Restored:
        if is_living(self._engine):
            self._refuse_living()
        erasure = self._vault / "erasure.key"
        if erasure.exists() and not self._mark.exists():
            raise StartRefused(
                f"{self._vault} belongs to a server already; restore into an empty data folder",
                code="data-not-empty",
            )
        write_private(self._mark, contents.data.number.encode())
        erasure.unlink(missing_ok=True)  # of the attempt before: nothing was ever wrapped by it
        empty(self._engine)
        source = choose_source(self._settings.master_key, self._vault)
        safe = Safe(open_erasure_keys(erasure, source, estate=contents.data.estate))
        with opened_file(data, self._key, "data") as file:
            load(self._engine, read_records(file.chunks))
        epoch = LinkStore(self._engine, keep_acknowledged=timedelta(0)).renew_epoch()
        _, held = read_keys(keys, self._key)
        with Session(self._engine) as session, session.begin():
            revived = self._revive(session, safe, held)
        eraser(self._engine).erase()
        self._finish()
        _log.info("restored=yes people=%d erased=%d", revived.people, revived.erased)
        return Restored(contents, revived, epoch)

    def _revive(self, session: Session, safe: Safe, held: dict[str, bytes]) -> Revived:
        change = Change(session, safe)
        take_keys(change, held)

        def secret(name: str) -> bytes:
            return keep_secret(session, safe, name, _missing)

        try:
            root = root_key(session, safe)
            card_key = secret("card-key")
            cipher = OutboxCipher(secret("outbox-key"))
            cipher.read_keys(session, safe)
        except SafeBroken as error:
            raise unfit() from error
        if root_public_bytes(root) != self._key.root_public:
            raise unfit()
        links = LinkStore(self._engine, keep_acknowledged=timedelta(0), cipher=cipher)
        revived = revive(change, links, card_key)
        note_versions(change)
        return revived

    def _refuse_living(self) -> NoReturn:
        if self._mark.exists() and self._is_ours():
            # The power went between the last transaction and the last file.
            self._finish()
            raise StartRefused(
                "this restore was finished already; start the server", code="restore-finished"
            )
        raise StartRefused(
            "an estate lives in this database; restore into an empty one",
            code="database-not-empty",
        )

    def _is_ours(self) -> bool:
        source = choose_source(self._settings.master_key, self._vault)
        try:
            safe = Safe(open_erasure_keys(self._vault / "erasure.key", source))
            with Session(self._engine) as session:
                root = root_key(session, safe)
        except (SafeBroken, StartRefused):
            return False
        return root_public_bytes(root) == self._key.root_public

    def _finish(self) -> None:
        self._mark.unlink(missing_ok=True)
        sync_folder(self._mark.parent)


def _missing() -> NoReturn:
    raise unfit()
