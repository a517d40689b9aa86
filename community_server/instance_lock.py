"""One server per data folder and per database: a second one is refused, not merged."""

import fcntl
import os
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Connection, Engine, text

from community_server.errors import StartRefused
from tier_kit.private_files import make_private_folder

FILE_NAME: Final = "server.lock"
_ADVISORY_LOCK: Final = 0x6761746568_02
"""PostgreSQL's name for "a community server runs on this database"."""


class InstanceLock:
    """Held as long as the server runs; the system lets go of it however the process ends."""

    def __init__(self, folder: Path) -> None:
        """Take the data folder's lock.

        Raises:
            StartRefused: `already-running`, or the folder cannot be written (`data-unusable`).
        """
        self._path = folder / FILE_NAME
        try:
            make_private_folder(folder)
            self._file: IO[str] = self._path.open("a+", encoding="ascii")
        except OSError as error:
            raise StartRefused(
                f"{folder} cannot be written: {error.strerror}", code="data-unusable"
            ) from error
        self._connection: Connection | None = None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise StartRefused(
                f"another server (process {holder or 'unknown'}) is already running on {folder}; "
                "stop it first, or give this one a data folder of its own",
                code="already-running",
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def take_database(self, engine: Engine) -> None:
        """Take the database's lock as well, where other machines could reach it.

        Raises:
            StartRefused: `already-running`.
        """
        if engine.dialect.name != "postgresql":
            return
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        query = text("SELECT pg_try_advisory_lock(:lock)").bindparams(lock=_ADVISORY_LOCK)
        if not connection.execute(query).scalar():
            connection.close()
            raise StartRefused(
                "another server is already running on this PostgreSQL database; "
                "stop it first, or give this one a database of its own",
                code="already-running",
            )
        connection.detach()  # not the pool's any more: closing it lets go of the lock
        self._connection = connection

    def release(self) -> None:
        """Let go of both."""
        if self._connection is not None:
            self._connection.close()
        self._file.close()
