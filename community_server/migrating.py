"""Bringing the database's tables up to date, at every start."""

from importlib import resources
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

_ADVISORY_LOCK: Final = 0x6761746568_12
"""PostgreSQL's name for "somebody migrates a community server's database"."""


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing, in one transaction, one server at a time."""
    config = Config()
    scripts = resources.files("migrations").joinpath("community")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=_ADVISORY_LOCK)
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
