"""The migrations build exactly the tables that the code means."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from community_server.tables import metadata
from tests.community_server.bench import Bench
from tier_link.store import bring_up_to_date


def test_migrations_and_tables_agree_and_a_second_run_changes_nothing(bench: Bench) -> None:
    bring_up_to_date(bench.estate.engine, "community")
    with bench.estate.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        together = MetaData()
        for part in metadata:
            for table in part.tables.values():
                table.to_metadata(together)
        assert compare_metadata(context, together) == []
