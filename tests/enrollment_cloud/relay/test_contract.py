"""What either relay promises, on either database."""

import time

import pytest

from enrollment_cloud.database import Database
from enrollment_cloud.relay import Relay
from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.relay.conftest import COMMUNITY, deposit, envelope, holds, waiting
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD


def acknowledge(database: Database, relay: Relay, sequence: int) -> None:
    """Do what a link does when the community says that it has everything up to `sequence`."""
    relay.store.acknowledge(COMMUNITY, relay.store.epoch, sequence, relay.drop)
    assert not holds(database, relay, sequence)


def test_what_was_deposited_is_handed_out_whole_and_in_order(
    database: Database, relay: Relay
) -> None:
    sent = [envelope() for _ in range(5)]
    for one in sent:
        deposit(database, relay, one)
    assert waiting(relay) == sent


def test_the_largest_envelope_passes(database: Database, relay: Relay) -> None:
    one = envelope(PADDED_SIZES[-1])
    deposit(database, relay, one)
    assert waiting(relay) == [one]


def test_a_link_gets_no_more_at_once_than_it_asked_for(database: Database, relay: Relay) -> None:
    sent = [envelope(PADDED_SIZES[0]) for _ in range(4)]
    sequences = [deposit(database, relay, one) for one in sent]
    size = PADDED_SIZES[0] + SEAL_OVERHEAD

    def asked(limit: int, max_bytes: int, after: int = 0) -> list[int]:
        records = relay.store.pending(COMMUNITY, after, limit=limit, max_bytes=max_bytes)
        return [record.sequence for record in records]

    assert asked(3, 1 << 20) == sequences[:3]
    assert asked(10, 2 * size + size // 2) == sequences[:2]
    assert asked(10, 1) == sequences[:1], "the first alone may be larger"
    assert asked(10, 1 << 20, after=sequences[1]) == sequences[2:]


def test_communities_do_not_see_each_others(database: Database, relay: Relay) -> None:
    mine, theirs = envelope(), envelope()
    deposit(database, relay, mine)
    deposit(database, relay, theirs, "other-court-1111")
    assert waiting(relay) == [mine]
    assert waiting(relay, "other-court-1111") == [theirs]


def test_a_deposit_that_is_rolled_back_never_was(database: Database, relay: Relay) -> None:
    one = envelope()
    relay.hold(COMMUNITY, one)
    with database.write() as session:
        sequence = relay.deposit(session, COMMUNITY, one)
        session.rollback()
    assert not holds(database, relay, sequence)
    assert waiting(relay) == []


def test_a_crash_between_body_and_row_is_made_up_for_by_the_next_try(
    database: Database, relay: Relay
) -> None:
    one = envelope()
    relay.hold(COMMUNITY, one)
    assert waiting(relay) == [], "nobody may be told of it"
    deposit(database, relay, one)
    assert waiting(relay) == [one]


def test_what_the_community_has_is_gone_and_the_rest_stays(
    database: Database, relay: Relay
) -> None:
    first, second = envelope(), envelope()
    sequence = deposit(database, relay, first)
    last = deposit(database, relay, second)
    acknowledge(database, relay, sequence)
    assert holds(database, relay, last)
    assert waiting(relay) == [second]
    assert not relay.has_lost(COMMUNITY, second.envelope)


def test_a_drop_that_is_rolled_back_drops_nothing(database: Database, relay: Relay) -> None:
    one = envelope()
    sequence = deposit(database, relay, one)
    with database.write() as session:
        relay.drop(session, COMMUNITY, [sequence])
        session.rollback()
    assert holds(database, relay, sequence)
    assert waiting(relay) == [one]


def test_what_has_waited_too_long_goes(database: Database, relay: Relay) -> None:
    sequence = deposit(database, relay, envelope())
    with database.write.begin() as session:
        relay.drop_older(session, int(time.time()) + 1)
    assert not holds(database, relay, sequence)
    assert waiting(relay) == []


def test_a_community_that_pairs_anew_leaves_nothing(database: Database, relay: Relay) -> None:
    theirs = envelope()
    deposit(database, relay, theirs, "other-court-1111")
    before = deposit(database, relay, envelope())
    with database.write.begin() as session:
        relay.forget(session, COMMUNITY)
    assert waiting(relay) == []
    assert not holds(database, relay, before)
    assert waiting(relay, "other-court-1111") == [theirs]


def test_sequences_go_on_after_a_loss(database: Database, relay: Relay) -> None:
    first = deposit(database, relay, envelope())
    with database.write.begin() as session:
        relay.forget(session, COMMUNITY)
    # The purge that follows a commit may still be under way, and take what comes at once.
    one = envelope()
    wait_for("the next one", lambda: deposit(database, relay, one) > first and waiting(relay))
    assert waiting(relay)[-1] == one


@pytest.mark.parametrize("times", [2, 3])
def test_a_body_held_again_is_handed_out_once(database: Database, relay: Relay, times: int) -> None:
    one = envelope()
    for _ in range(times):
        relay.hold(COMMUNITY, one)
    deposit(database, relay, one)
    assert waiting(relay) == [one]
