"""Bringing a tier's database up to date, at every start."""

from importlib import resources
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, text

from tier_link.errors import RevisionUnknown

_ADVISORY_LOCK: Final = 0x6761_7465_0001
"""PostgreSQL's name for "somebody migrates this database"; the number itself means nothing."""


def bring_up_to_date(engine: Engine, tier: str, revision: str = "head") -> None:
    """Run the migrations that the database has not seen, all in one transaction.

    Processes that start together go one by one: PostgreSQL locks, and SQLite's transactions
    begin IMMEDIATE.

    Args:
        engine: from `open_database`.
        tier: whose tables: a folder below `migrations`.
        revision: how far; a backup of an earlier release is put back as that one had it.

    Raises:
        RevisionUnknown: a newer release made it.
    """
    config = _config(tier)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
            )
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise RevisionUnknown(f"no migration is called {revision!r}") from error


def is_known_revision(tier: str, revision: str) -> bool:
    """Say whether a tier's migrations lead to a revision: one of a newer release is unknown."""
    try:
        return ScriptDirectory.from_config(_config(tier)).get_revision(revision) is not None
    except CommandError:
        return False


def newest_revision(tier: str) -> str:
    """Return the revision that `bring_up_to_date` leads to."""
    return ScriptDirectory.from_config(_config(tier)).get_current_head() or ""


def _config(tier: str) -> Config:
    scripts = resources.files("migrations")
    config = Config()
    # Alembic reads these through configparser, to which % is special.
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(scripts / tier).replace("%", "%%"))
    return config
