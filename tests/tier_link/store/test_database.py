import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from tier_link.errors import DatabaseAddressRefused
from tier_link.store import open_database, reading
from tier_link.store.tables import LinkState


def test_a_sqlite_file_is_durable_and_forgets_what_is_deleted(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/new/folder/tier.sqlite")
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    engine.dispose()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "secure_delete": 1,
    }
    assert stat.S_IMODE((tmp_path / "new" / "folder").stat().st_mode) == 0o700


def test_two_writers_queue_up_instead_of_failing_half_way(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/tier.sqlite")
    with engine.connect() as first:
        first.begin()
        first.exec_driver_sql("SELECT 1")  # already holds the write lock
        with engine.connect() as second:
            second.connection.driver_connection.execute("PRAGMA busy_timeout = 1")  # type: ignore[union-attr] # it is sqlite3's
            with pytest.raises(OperationalError, match="locked"):
                second.begin()
        with reading(engine).connect() as reader:
            assert reader.execute(text("SELECT 1")).scalar() == 1  # a reader need not wait
    engine.dispose()


def test_what_is_rolled_back_is_gone(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(LinkState(id=1, epoch=7))
        session.flush()
        session.rollback()
    with Session(reading(engine)) as session:
        assert session.get(LinkState, 1) is None


def test_a_reading_session_does_not_write(engine: Engine) -> None:
    with Session(reading(engine)) as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(text("INSERT INTO link_state (id, epoch) VALUES (1, 1)"))
    with Session(engine) as session, session.begin():  # and the pool's connections still do
        session.add(LinkState(id=1, epoch=7))


def test_a_reading_session_sees_one_moment_however_many_questions_it_asks(
    engine: Engine,
) -> None:
    with Session(engine) as session, session.begin():
        session.add(LinkState(id=1, epoch=7))
    with Session(reading(engine)) as reader:
        assert reader.scalar(text("SELECT epoch FROM link_state")) == 7
        with Session(engine) as writer, writer.begin():
            writer.execute(text("UPDATE link_state SET epoch = 8"))
        assert reader.scalar(text("SELECT epoch FROM link_state")) == 7
    with Session(reading(engine)) as reader:
        assert reader.scalar(text("SELECT epoch FROM link_state")) == 8


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not an address",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://root@localhost/x",
        "postgresql://localhost/x",
    ],
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseAddressRefused) as refusal:
        open_database(url)
    assert refusal.value.code == "database-address-refused"
