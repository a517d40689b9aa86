"""The cloud's database: its tables' base, opening, and bringing its schema up to date."""

from dataclasses import dataclass

from sqlalchemy import Engine, MetaData
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from enrollment_cloud.settings import Settings
from tier_kit.forms.errors import Malformed
from tier_link.store import (
    NAMING_CONVENTION,
    bring_up_to_date,
    open_database,
    reading,
    refuse_nul,
)


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
    engine = open_database(settings.database_url)
    refuse_nul(engine, lambda: Malformed("request-malformed"))
    bring_up_to_date(engine, "cloud")
    return Database.of(engine)
