"""The server's own backups, daily, beside everything else that it does."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from community_server.backups.making import find_note, make_backup
from community_server.database import now
from community_server.errors import BackupRefused
from community_server.estate import Estate
from community_server.setup.community import find_community

_log = logging.getLogger(__name__)

LOOK_EVERY: Final = 60.0
"""Seconds between two looks at whether one is due."""
BACKUP_EVERY: Final = 20 * 3600
"""Seconds between two backups: so the bundle of keys is new within a day of any erasure."""
RETRY_AFTER: Final = 3600
"""Seconds after which one that failed is tried again."""


@dataclass(frozen=True)
class BackupKeeper:
    """Makes one estate's backups; a task of its own, so that no sweep waits for a slow disk."""

    estate: Estate

    async def run(self) -> None:
        """Look for ever; what fails is logged, noted and tried again."""
        while True:
            try:
                await asyncio.to_thread(self.step)
            except BackupRefused as refused:
                _log.error("backup=failed reason=%s %s", refused.code, refused)
            except Exception:  # noqa: BLE001 -- logged, and tried again
                _log.exception("backup=failed action=retry")
            await asyncio.sleep(LOOK_EVERY)

    def step(self) -> bool:
        """Make one if it is due; say whether one was made.

        Raises:
            BackupRefused: the folder cannot be written.
        """
        estate, folder = self.estate, self.estate.settings.backup_folder
        if folder is None or not self._is_due():
            return False
        keep = estate.settings.backups_kept
        make_backup(estate.engine, lambda: estate.safe, folder, keep=keep)
        return True

    def _is_due(self) -> bool:
        moment = now()
        with self.estate.reading() as session:
            if find_community(session) is None:
                return False
            note = find_note(session)
            if note is None:
                return True
            waited = note.tried_at + RETRY_AFTER <= moment or not note.why
            return waited and note.made_at + BACKUP_EVERY <= moment
