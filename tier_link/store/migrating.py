"""Bringing a tier's database up to date, at every start."""

from importlib import resources
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

_ADVISORY_LOCK: Final = 0x6761_7465_0001
"""PostgreSQL's name for "somebody migrates this database"; the number itself means nothing."""


def bring_up_to_date(engine: Engine, tier: str) -> None:
    """Run the migrations that the database has not seen, all in one transaction.

    Processes that start together go one by one: PostgreSQL locks, and SQLite's transactions
    begin IMMEDIATE.

    Args:
        engine: from `open_database`.
        tier: whose tables: a folder below `migrations`.
    """
    scripts = resources.files("migrations")
    config = Config()
    # Alembic reads these through configparser, to which % is special.
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(scripts / tier).replace("%", "%%"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
