import pytest

from enrollment_cloud.database import Database
from enrollment_cloud.relay.database import DatabaseRelay
from enrollment_cloud.relay.jetstream import JetStreamRelay
from enrollment_cloud.relay.pointers import Pointer
from tests.enrollment_cloud.relay.conftest import deposit, envelope, holds, waiting
from tier_link.relay_messages import RELAY


@pytest.mark.parametrize("size", [0, 1, 4 << 20])
def test_a_pointer_goes_out_and_comes_back(size: int) -> None:
    pointer = Pointer("0123456789abcdef" * 2, size)
    assert Pointer.read(bytes(pointer)) == pointer


def test_no_records_own_body_is_taken_for_a_pointer() -> None:
    smallest = envelope(0)
    assert Pointer.read(RELAY.encode(smallest)) is None


def test_what_the_embedded_relay_took_is_handed_out_by_its_successor(
    database: Database, jetstream: JetStreamRelay
) -> None:
    before, after = envelope(), envelope()
    deposit(database, DatabaseRelay(database.engine), before)
    deposit(database, jetstream, after)
    assert waiting(jetstream) == [before, after]


def test_a_pointer_that_nobody_here_can_follow_counts_as_lost_and_is_never_sent(
    database: Database, jetstream: JetStreamRelay
) -> None:
    embedded = DatabaseRelay(database.engine)
    pointed = deposit(database, jetstream, envelope())
    own = envelope()
    deposit(database, embedded, own)
    assert waiting(embedded) == [own]
    assert not holds(database, embedded, pointed), "the browser is to send it again"
