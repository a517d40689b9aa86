"""What the embedded relay promises beyond the contract: no traces in any file."""

import time

import pytest
from sqlalchemy import text

from enrollment_cloud.database import Database
from enrollment_cloud.relay.database import DatabaseRelay
from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.relay.conftest import COMMUNITY, deposit, envelope, holds
from tests.enrollment_cloud.traces import database_files, found_in, pieces_of


@pytest.fixture
def relay(database: Database) -> DatabaseRelay:
    return DatabaseRelay(database.engine)


def scrub(relay: DatabaseRelay) -> None:
    """Scrub until nobody's older snapshot (a passing autovacuum's, say) was in the way."""

    def clean() -> bool:
        relay.scrub()
        return not relay.traces.due

    wait_for("a finished scrub", clean)


def cheap_traces(database: Database, sealed: bytes) -> list[str]:
    """Search SQLite's files; making PostgreSQL write all of its own is left to one test."""
    if database.engine.dialect.name == "postgresql":
        return []
    return found_in(database_files(database.engine), pieces_of(sealed))


def test_what_is_dropped_and_scrubbed_is_in_no_file(
    database: Database, relay: DatabaseRelay
) -> None:
    gone, stays = envelope(), envelope()
    sequence = deposit(database, relay, gone)
    deposit(database, relay, stays)
    with database.write.begin() as session:
        relay.drop(session, COMMUNITY, [sequence])
    assert found_in(database_files(database.engine), pieces_of(gone.sealed)), "the search is blind"
    scrub(relay)
    files = database_files(database.engine)
    assert found_in(files, pieces_of(gone.sealed)) == []
    assert found_in(files, pieces_of(stays.sealed)) != []


def test_what_has_waited_too_long_goes_the_same_way(
    database: Database, relay: DatabaseRelay
) -> None:
    old = envelope()
    sequence = deposit(database, relay, old)
    with database.write.begin() as session:
        relay.drop_older(session, int(time.time()) + 1)
    scrub(relay)
    assert not holds(database, relay, sequence)
    assert cheap_traces(database, old.sealed) == []


def test_a_scrub_in_somebody_elses_way_is_made_up_for(
    database: Database, relay: DatabaseRelay
) -> None:
    gone = envelope()
    sequence = deposit(database, relay, gone)
    with database.read() as reader:
        if database.engine.dialect.name == "postgresql":
            reader.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        reader.execute(text("SELECT count(*) FROM communities"))  # holds an older snapshot
        with database.write.begin() as session:
            relay.drop(session, COMMUNITY, [sequence])
        relay.scrub()
    assert relay.traces.due, "it thought that it was done"
    scrub(relay)
    assert cheap_traces(database, gone.sealed) == []


def test_a_new_process_cleans_up_after_one_that_died(
    database: Database, relay: DatabaseRelay
) -> None:
    gone = envelope()
    sequence = deposit(database, relay, gone)
    with database.write.begin() as session:
        relay.drop(session, COMMUNITY, [sequence])
    scrub(DatabaseRelay(database.engine))
    assert cheap_traces(database, gone.sealed) == []


def test_a_lost_outbox_loses_bodies_and_nothing_else(
    database: Database, relay: DatabaseRelay
) -> None:
    first = deposit(database, relay, envelope())
    with database.write.begin() as session:
        session.execute(text("DELETE FROM link_outbox"))
    assert not holds(database, relay, first)
    assert deposit(database, relay, envelope()) == first + 1
