"""An estate from before signed assessments were asked for goes on with its faces."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import migrations.community
from community_server.alarms.tables import Alarm
from community_server.people.service import store_template
from community_server.people.tables import Person
from community_server.privacy.faces import faces_are_on
from community_server.privacy.tables import Assessment
from community_server.sweeper import Sweeper
from tests.community_server.bench import Bench, switch_faces_on
from tests.door_terminal.samples import unit_vector


def migration() -> ModuleType:
    (found,) = Path(migrations.community.__path__[0]).glob("*_faces_unsigned.py")
    return import_module(f"migrations.community.{found.stem}")


def go_back(bench: Bench) -> None:
    """Leave the database as the release before had it, and update it."""
    with Session(bench.estate.engine) as session, session.begin():
        session.execute(delete(Assessment))
    with bench.estate.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE community DROP COLUMN faces_unsigned")
        with Operations.context(MigrationContext.configure(connection)):
            migration().upgrade()


def alarms(bench: Bench, kind: str) -> list[int]:
    Sweeper.of(bench.estate).sweep()
    with bench.estate.reading() as session:
        found = select(Alarm.cleared_at).where(Alarm.kind == kind)
        return list(session.scalars(found))


@pytest.mark.parametrize("with_face", [True, False])
def test_faces_that_were_in_use_go_on_and_an_alarm_asks_for_the_signature(
    own: Bench, *, with_face: bool
) -> None:
    _, person = own.invite()
    if with_face:
        with own.estate.changer.change() as change:
            row = change.session.get_one(Person, person)
            space = own.estate.pack.template_space
            store_template(change, row, space, unit_vector(1), photos=1)
    go_back(own)
    with own.estate.reading() as session:
        assert faces_are_on(session) == with_face
    # Faces that are off want no alarm: the console says so on its first page.
    assert alarms(own, "assessment-missing") == ([0] if with_face else [])
    switch_faces_on(own.estate)
    assert [bool(cleared) for cleared in alarms(own, "assessment-missing")] == [True] * with_face
