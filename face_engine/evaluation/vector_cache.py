"""What was found in each photo, kept so that a stopped evaluation goes on where it was.

One SQLite file. A record belongs to a photo's SHA-256 and to everything else that decides what is
found in it: the pack, its template space, the version of the code, the degradation. Several runs
may use the file at once. It holds face vectors of the photos given: delete it with them.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_engine.errors import EvaluationImpossible

_FILE = "photos.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS record (
    setting TEXT NOT NULL,
    photo TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (setting, photo)
) WITHOUT ROWID
"""
# Another run writes for milliseconds at a time; a disk that takes longer is broken.
_PATIENCE_S = 60.0


class VectorCache:
    """Records of one numpy type, by photo digest."""

    def __init__(self, folder: Path, setting: str, record: np.dtype[np.void]) -> None:
        self._file = folder / _FILE
        self._setting = setting
        self._record = record
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            with closing(self._open()) as database, database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute(_TABLES)

    def read(self, digests: Sequence[str]) -> dict[str, NDArray[np.void]]:
        """The records there are, each (1,), by digest."""
        with self._told(), closing(self._open()) as database:
            rows = database.execute(
                "SELECT photo, content FROM record WHERE setting = ?",
                (self._setting,),
            )
            wanted = set(digests)
            return {
                photo: np.frombuffer(content, self._record)
                for photo, content in rows
                if photo in wanted and len(content) == self._record.itemsize
            }

    def write(self, digests: Sequence[str], records: NDArray[np.void]) -> None:
        """Keep records; of two runs with the same photo either's will do."""
        with self._told(), closing(self._open()) as database, database:
            database.executemany(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?)",
                [
                    (self._setting, digest, record.tobytes())
                    for digest, record in zip(digests, records, strict=True)
                ],
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=_PATIENCE_S)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever hinders reading or writing, as a sentence."""
        try:
            yield
        except (OSError, sqlite3.Error) as failed:
            raise EvaluationImpossible(
                f"the cache {self._file} cannot be used: {failed}; name another folder with --cache"
            ) from failed
