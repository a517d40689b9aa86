import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from enrollment_cloud.database import Database
from enrollment_cloud.tables import METADATA


def test_the_migrations_make_the_tables_that_the_models_describe(database: Database) -> None:
    whole = MetaData()
    for metadata in METADATA:
        for table in metadata.tables.values():
            table.to_metadata(whole)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, whole) == []


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    program = (
        "import sys\n"
        "from enrollment_cloud.database import open_cloud_database\n"
        "from enrollment_cloud.settings import Settings\n"
        "sys.stdin.read()\n"
        "open_cloud_database(Settings(database=sys.argv[1])).engine.dispose()\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, database_url], stdin=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()  # the starting gun
    assert [process.wait(60) for process in processes] == [0, 0]


def test_on_postgresql_the_outbox_stays_out_of_the_write_ahead_log(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        return
    with database.engine.connect() as connection:
        query = text("SELECT relpersistence FROM pg_class WHERE relname = 'link_outbox'")
        assert connection.scalars(query).one() in {"u", b"u"}
