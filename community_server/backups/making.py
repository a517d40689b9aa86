"""Making a backup: the data, then the bundle of keys, while the server goes on.

In this order: whoever is erased between the two has no key in the bundle, and whoever is added has
one that nothing needs; the other way round people would be lost.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.backups.bundle import bundle
from community_server.backups.dump import dump
from community_server.backups.records import Record, encode_record
from community_server.backups.recovery_key import recovery_key
from community_server.backups.sealed_file import sealed_file
from community_server.backups.tables import BackupNote
from community_server.database import now
from community_server.errors import BackupRefused
from community_server.keys.root import root_key
from community_server.setup.community import get_community
from community_server.vault.safe import Safe, SafeBroken
from tier_link.store import reading

_log = logging.getLogger(__name__)

KEYS_FILE: Final = "keys.gatehouse-backup"
_DATA_NAME: Final = "data-%Y%m%dT%H%M%SZ.gatehouse-backup"
_DATA_FILES: Final = "data-*.gatehouse-backup"
_LEFTOVERS: Final = ".*.gatehouse-backup.*.part"
_LEFTOVER_S: Final = 24 * 3600
"""Seconds after which a file that a power cut left unfinished is nobody's any more."""
_ONLY: Final = 1
_TRIES: Final = 3
"""The command reads the erasure keys from their file, which a sweep may renew meanwhile."""


@dataclass(frozen=True)
class Made:
    """A data backup and its bundle, in one folder; `made_at` is Unix seconds."""

    data: Path
    keys: Path
    made_at: int


def make_backup(engine: Engine, open_safe: Callable[[], Safe], folder: Path, *, keep: int) -> Made:
    """Write both files, delete the oldest data backups beyond `keep`, and note it in the database.

    Args:
        engine: the server's database; the server may be running.
        open_safe: gives the vault as it is now.
        folder: made where it is missing.
        keep: how many data backups stay.

    Raises:
        BackupRefused: `backup-unwritable`; the note says so too, and files from before stay.
        NotSetUp: there is nothing to keep yet.
    """
    moment = now()
    try:
        made = _make(engine, open_safe, folder, moment)
    except OSError as error:
        _note(engine, BackupNote(tried_at=moment, why="backup-unwritable"))
        raise BackupRefused(
            f"{folder} cannot be written: {error.strerror}", code="backup-unwritable"
        ) from error
    _note(engine, BackupNote(made_at=moment, file=made.data.name, tried_at=moment, why=""))
    _prune(folder, keep)
    _log.info("backup=made file=%s", made.data.name)
    return made


def find_note(session: Session) -> BackupNote | None:
    """Return what is known of the last backup, None before the first was tried."""
    return session.get(BackupNote, _ONLY)


def _make(engine: Engine, open_safe: Callable[[], Safe], folder: Path, moment: int) -> Made:
    data = folder / datetime.fromtimestamp(moment, UTC).strftime(_DATA_NAME)
    with Session(reading(engine)) as session:
        get_community(session)
        safe = open_safe()
        key = recovery_key(root_key(session, safe))
        # The session's own connection: the data are of the moment in which the root was read.
        with sealed_file(data, key, "data", safe.estate, moment) as write:
            _write(dump(session.connection()), write)
    for left in reversed(range(_TRIES)):
        safe = open_safe()
        try:
            with (
                Session(reading(engine)) as session,
                sealed_file(folder / KEYS_FILE, key, "keys", safe.estate, moment) as write,
            ):
                _write(bundle(session, safe), write)
            break
        except SafeBroken:
            if not left:
                raise
    return Made(data, folder / KEYS_FILE, moment)


def _write(records: Iterable[Record], write: Callable[[bytes], None]) -> None:
    for record in records:
        write(encode_record(record))


def _note(engine: Engine, note: BackupNote) -> None:
    with Session(engine) as session, session.begin():
        known = session.get(BackupNote, _ONLY)
        if known is None:
            note.id = _ONLY
            note.made_at, note.file = note.made_at or 0, note.file or ""
            session.add(note)
            return
        known.tried_at, known.why = note.tried_at, note.why
        if note.made_at:
            known.made_at, known.file = note.made_at, note.file


def _prune(folder: Path, keep: int) -> None:
    for old in sorted(folder.glob(_DATA_FILES))[:-keep]:
        old.unlink(missing_ok=True)
    for left in folder.glob(_LEFTOVERS):
        if left.stat().st_mtime < now() - _LEFTOVER_S:
            left.unlink(missing_ok=True)
