"""The cloud's database: its tables' base, opening, and bringing its schema up to date."""

from dataclasses import dataclass
from importlib import resources
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from enrollment_cloud.settings import Settings
from tier_link.store import NAMING_CONVENTION, open_database, reading

_MIGRATION_LOCK: Final = 0x6761_7465_0001
"""Advisory lock number: "gate", cloud. Replicas that start together migrate one by one."""


class CloudBase(DeclarativeBase):
    """Base of the cloud's own tables; the link's tables are `tier_link.store.LinkBase`."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


@dataclass(frozen=True)
class Database:
    """One open database.

    `write.begin()` gives a session whose transaction commits at the block's end (on SQLite it
    begins IMMEDIATE); `read()` gives one that neither writes nor waits for writers.
    """

    engine: Engine
    write: sessionmaker[Session]
    read: sessionmaker[Session]

    @classmethod
    def of(cls, engine: Engine) -> "Database":
        """Wrap an engine of `tier_link.store.open_database`."""
        return cls(
            engine,
            sessionmaker(engine, expire_on_commit=False),
            sessionmaker(reading(engine), expire_on_commit=False),
        )


def open_cloud_database(settings: Settings) -> Database:
    """Open the database that the settings name and bring its schema up to date."""
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_database(settings.database_url)
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        try:
            migrate(connection)
        finally:
            connection.rollback()
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK}
                )
                connection.commit()
    return Database.of(engine)


def migrate(connection: Connection) -> None:
    """Run the migrations that this database has not seen."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("migrations") / "cloud"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
