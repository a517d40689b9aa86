"""Looks for bytes in whatever a database keeps on disk."""

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

PIECE = 24
"""Bytes of ciphertext that no other file holds by chance."""


def pieces_of(sealed: bytes) -> list[bytes]:
    """Return short pieces from all over, since a database cuts large values into chunks."""
    return [sealed[start : start + PIECE] for start in range(200, len(sealed) - PIECE, 997)]


def database_files(engine: sa.Engine) -> list[Path]:
    """Return the files that hold this database: SQLite's, or PostgreSQL's heap and log.

    PostgreSQL is made to write all it holds in memory first: an ordinary checkpoint leaves out
    unlogged tables, the one before a new database's files are copied does not. Skips the test
    where its files cannot be read.
    """
    if engine.dialect.name == "sqlite":
        main = Path(engine.url.database or "")
        return [file for file in main.parent.iterdir() if file.name.startswith(main.name)]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        scratch = f"gatehouse_test_{secrets.token_hex(6)}"
        connection.execute(
            sa.text(f"CREATE DATABASE {scratch} TEMPLATE template0 STRATEGY file_copy")
        )
        connection.execute(sa.text(f"DROP DATABASE {scratch}"))
        data = Path(connection.scalars(sa.text("SHOW data_directory")).one())
        oid = connection.scalars(
            sa.text("SELECT oid FROM pg_database WHERE datname = current_database()")
        ).one()
    if not os.access(data, os.R_OK | os.X_OK):
        pytest.skip(f"PostgreSQL's files in {data} cannot be read by this user")
    folders = (data / "base" / str(oid), data / "pg_wal", data / "base" / "pgsql_tmp")
    return [file for folder in folders if folder.is_dir() for file in folder.iterdir()]


def found_in(files: Sequence[Path], wanted: Sequence[bytes]) -> list[str]:
    """Return the names of the files that hold any of the wanted bytes."""
    return [file.name for file in files if any(piece in _read(file) for piece in wanted)]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""  # a log segment that was recycled meanwhile


def all_files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder."""
    return (file for file in folder.rglob("*") if file.is_file())
