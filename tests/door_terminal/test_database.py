"""The migrations make exactly the tables that the code speaks of."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData

from door_terminal.database import DoorBase, open_door_database
from door_terminal.errors import StartRefused
from tier_link.store import LinkBase


def test_models_and_migrations_agree(engine: Engine) -> None:
    together = MetaData()
    for metadata in (DoorBase.metadata, LinkBase.metadata):
        for table in metadata.sorted_tables:
            table.to_metadata(together)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, together) == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'door.sqlite'}"
    open_door_database(url).dispose()
    open_door_database(url).dispose()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "door.sqlite").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(StartRefused) as refused:
        open_door_database(f"sqlite:///{tmp_path / 'door.sqlite'}")
    assert refused.value.code == "data-unusable"


def test_a_commit_is_on_the_disk_before_it_returns(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
