"""A full disk takes nothing in, says so, and loses nothing."""

import logging
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, event

from community_server.intake.tables import Enrollment
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import CLOUD, Bench
from tier_link.errors import StorageFailed


def test_a_full_disk_leaves_the_envelope_unacknowledged_until_there_is_room(
    bench: Bench, people: Sequence[SamplePerson], caplog: pytest.LogCaptureFixture
) -> None:
    engine = bench.estate.engine
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's disk cannot be bounded from here")
    invitation, _ = bench.invite()
    draft = bench.draft(invitation, [people[0].portrait])
    mark = bench.estate.links.marks(CLOUD).seen_sequence

    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "begin", fill)
    with caplog.at_level(logging.CRITICAL), pytest.raises(StorageFailed):
        bench.deliver(draft.deposit())
    event.remove(engine, "begin", fill)
    engine.dispose()

    assert any("reason=disk-full" in message for message in caplog.messages)
    assert bench.estate.links.marks(CLOUD).seen_sequence == mark
    with bench.estate.reading() as session:
        assert session.get(Enrollment, draft.envelope) is None
    assert bench.send(draft)[0].outcome == "received"
