"""An estate that had entries before they were counted finds all of them counted."""

from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.support.databases import databases
from tier_link.store import bring_up_to_date, open_database

BEFORE = "0015"
AT = 1_795_000_000
DOOR = "d" * 32


def migrate(connection: sa.Connection, revision: str) -> None:
    scripts = resources.files("migrations")
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(scripts / "community"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def row(number: int, **more: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "entry": f"{number:032x}",
        "door_id": DOOR,
        "door_sequence": number,
        "at": (AT + number) * 1000,
        "time_known": True,
        "received_at": AT + 7200,
        "direction": "in",
        "person_id": "",
        "category": "",
        "credential": "face",
        "granted": False,
        "reason": "face-unclear",
        "matched": "local",
        "took_ms": 1,
        "frames": 2,
        "liveness": "",
    }
    return fields | more


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_entries_from_before_are_counted_by_hour_and_kind(kind: str, tmp_path: Path) -> None:
    with databases(kind, 1) as (address,):
        engine = open_database(address or f"sqlite:///{tmp_path / 'server.sqlite'}")
        with engine.begin() as connection:
            migrate(connection, BEFORE)
            tables = sa.MetaData()
            tables.reflect(connection, only=["doors", "entries"])
            doors, entries = tables.tables["doors"], tables.tables["entries"]
            usual = {
                column.name: 0 if isinstance(column.type, (sa.Integer, sa.Double)) else ""
                for column in doors.columns
                if not column.nullable and column.server_default is None
            }
            flags = dict.fromkeys(
                (c.name for c in doors.columns if isinstance(c.type, sa.Boolean)), False
            )
            connection.execute(doors.insert().values(usual | flags | {"id": DOOR}))
            rows = [row(1), row(2), row(3, granted=True, reason="within-rules")]
            rows.append(row(4, at=0, time_known=False))  # counts when it arrived
            connection.execute(entries.insert(), rows)
        bring_up_to_date(engine, "community")
        with engine.begin() as connection:
            counted = connection.execute(
                sa.text(
                    'SELECT hour, reason, "count" FROM entry_hours JOIN entry_kinds'
                    " ON entry_kinds.id = kind_id ORDER BY hour, reason"
                )
            ).all()
            times = connection.scalars(sa.text('SELECT "at" FROM entries ORDER BY number')).all()
        engine.dispose()
    hour = AT // 3600 * 3600
    assert [tuple(one) for one in counted] == [
        (hour, "face-unclear", 2),
        (hour, "within-rules", 1),
        (hour + 7200, "face-unclear", 1),
    ]
    assert times[-1] == (AT + 7200) * 1000
