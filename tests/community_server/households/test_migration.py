"""An estate from before households and groups loses nothing by them."""

from importlib import import_module
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations

import migrations.community
from community_server.database import now
from community_server.households.queries import list_households, residences
from community_server.people.routes import new_pin
from tests.community_server.bench import STAFF, Bench

NEW_TABLES = (
    *("person_groups", "group_doors", "access_groups", "schedule_windows", "schedules"),
    *("holidays", "residences", "households"),
)


def test_a_server_from_before_finds_its_residents_in_their_units_with_every_door(
    own: Bench,
) -> None:
    person = own.invite(name="Ada", unit="9-2-102")[1]
    new_pin(own.estate, person, STAFF)
    visitor = own.invite("visitor", name="Guest")[1]
    (migration,) = Path(migrations.community.__path__[0]).glob("*_access.py")
    module = import_module(f"migrations.community.{migration.stem}")
    # Tables that came later refer to these.
    cascade = "CASCADE" if own.estate.engine.dialect.name == "postgresql" else ""
    with own.estate.engine.begin() as connection:
        for table in NEW_TABLES:
            connection.exec_driver_sql(f"DROP TABLE {table} {cascade}")
        connection.exec_driver_sql("DROP INDEX ix_people_external_id")
        connection.exec_driver_sql("ALTER TABLE people DROP COLUMN external_id")
        with Operations.context(MigrationContext.configure(connection)):
            module.upgrade()
    own.estate.changer.refresh(frozenset({person, visitor}))
    row = own.estate.book.find(person)
    assert row is not None
    assert row.belongs_at("any door", now(), own.estate.book.groups)

    with own.estate.reading() as session:
        (home,) = list_households(session)
        assert visitor not in residences(session)
    assert (home.building, home.number, home.people) == ("9", "2-102", 1)
