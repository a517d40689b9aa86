"""What a hundred test files pay at each start, paid once: a tier's empty tables, a password's work.

Both stay real where it counts. A worker's first database of a tier is made by the tier's own
migrations, and later empty ones are given the very tables that came of it; a database that holds
something, any revision but the newest, PostgreSQL, and every process that a test starts migrate
as always. Passwords and PINs are argon2id hashes with fewer passes in this process alone; a test
that asks for `real_hashing` gets the cost that is shipped. A command that is called in this process
does not guard its memory, which would be for good, and every later test's as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import argon2
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

import community_server.command
import door_terminal.command
import enrollment_cloud.command
from community_server.people import pins
from community_server.staff import passwords
from tier_link.store import migrating

QUICK: Final = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_SHIPPED: Final = {passwords: passwords._hasher, pins: pins._hasher}
_COMMANDS: Final = (community_server.command, door_terminal.command, enrollment_cloud.command)
_upgrade: Final = command.upgrade
_made: Final[dict[str, list[str]]] = {}
"""Statements that make a tier's tables, by where its migrations lie."""


class _QuickCommand:
    """Stands in for Alembic's `command`."""

    @staticmethod
    def upgrade(config: Config, revision: str) -> None:
        """Upgrade; an empty SQLite database to the newest revision by what was seen before."""
        connection: Connection = config.attributes["connection"]
        if connection.dialect.name != "sqlite" or revision != "head" or not _is_empty(connection):
            _upgrade(config, revision)
            return
        tier = config.get_main_option("version_locations") or ""
        if tier not in _made:
            _upgrade(config, revision)
            _made[tier] = _statements(connection)
            return
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for statement in _made[tier]:
            connection.exec_driver_sql(statement)


def _is_empty(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").first() is None


def _statements(connection: Connection) -> list[str]:
    driver: Any = connection.connection.driver_connection
    lines = [line for line in driver.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;")]
    # A row may name a table that comes later in the alphabet.
    return sorted(lines, key=lambda line: line.startswith("INSERT"))


@contextmanager
def quick_starts() -> Iterator[None]:
    """Make starts in this process quick, and harmless."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrating, "command", _QuickCommand)
        for module in _SHIPPED:
            patch.setattr(module, "_hasher", QUICK)
        for module in _COMMANDS:
            patch.setattr(module, "guard_process", lambda: None)
        yield


@contextmanager
def shipped_hashing() -> Iterator[None]:
    """Hash at the cost that is shipped."""
    with pytest.MonkeyPatch.context() as patch:
        for module, hasher in _SHIPPED.items():
            patch.setattr(module, "_hasher", hasher)
        yield
