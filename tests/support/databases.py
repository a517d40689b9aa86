"""Throwaway databases: a file of SQLite's, or a database on a PostgreSQL that is at hand."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Final

import pytest
import sqlalchemy as sa

BOTH: Final = ("sqlite", pytest.param("postgresql", marks=pytest.mark.long))
"""Kinds of database for a fixture: `make test` keeps a promise on SQLite, `make long` on both."""
ADMIN_URL: Final = os.environ.get(
    "GATEHOUSE_TEST_POSTGRESQL", "postgresql+psycopg://root@127.0.0.1:5432/postgres"
)


@contextmanager
def _administrator() -> Iterator[sa.Connection]:
    engine = sa.create_engine(
        ADMIN_URL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3}
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@cache
def _why_not() -> str:
    try:
        with _administrator() as connection:
            connection.execute(sa.text("SELECT 1"))
    except (sa.exc.OperationalError, ModuleNotFoundError) as error:
        return f"no PostgreSQL at {sa.make_url(ADMIN_URL)}: {type(error).__name__}"
    return ""


@contextmanager
def postgresql_database() -> Iterator[str]:
    """Yield the URL of an empty database, dropped afterwards; skip the test where none can be."""
    if reason := _why_not():
        pytest.skip(reason)
    name = f"gatehouse_test_{secrets.token_hex(6)}"
    with _administrator() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    try:
        yield sa.make_url(ADMIN_URL).set(database=name).render_as_string(hide_password=False)
    finally:
        with _administrator() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@contextmanager
def databases(kind: str, count: int) -> Iterator[list[str]]:
    """Yield so many addresses of empty databases, for settings of tiers.

    Args:
        kind: "postgresql", or "sqlite", which is each tier's default and so the empty address.
        count: how many.
    """
    with ExitStack() as stack:
        postgresql = kind == "postgresql"
        yield [
            stack.enter_context(postgresql_database()) if postgresql else "" for _ in range(count)
        ]
