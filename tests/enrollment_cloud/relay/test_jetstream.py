"""What the relay over brokers promises beyond the contract."""

import os
import shutil
import signal
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy.orm import Session

from enrollment_cloud.database import Database
from enrollment_cloud.enrollment.deposits import Deposits
from enrollment_cloud.invitations.service import publish_invitations
from enrollment_cloud.relay.jetstream import COMMUNITY_SHARE, JetStreamRelay
from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.relay.conftest import (
    COMMUNITY,
    broker_of,
    deposit,
    envelope,
    holds,
    waiting,
)
from tests.enrollment_cloud.samples import CommunityKeys, populate, published
from tests.enrollment_cloud.traces import database_files, found_in, pieces_of
from tests.support.nats_cluster import NatsCluster
from tier_kit.forms.errors import Busy, FormRefused
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.sealing import PADDED_SIZES

MIB = 1 << 20


def test_a_body_is_gone_from_the_brokers_once_the_community_has_it(
    database: Database, jetstream: JetStreamRelay
) -> None:
    one, other = envelope(), envelope()
    sequence = deposit(database, jetstream, one)
    deposit(database, jetstream, other)
    jetstream.store.acknowledge(COMMUNITY, jetstream.store.epoch, sequence, jetstream.drop)
    wait_for("the purge", lambda: jetstream.has_lost(COMMUNITY, one.envelope))
    assert not jetstream.has_lost(COMMUNITY, other.envelope)


def test_the_database_holds_a_pointer_and_no_sealed_byte(
    database: Database, jetstream: JetStreamRelay
) -> None:
    one = envelope()
    deposit(database, jetstream, one)
    assert waiting(jetstream) == [one]
    if database.engine.dialect.name == "sqlite":  # for PostgreSQL see test_replicas.py
        files = database_files(database.engine)
        assert found_in(files, [bytes.fromhex(one.envelope)]), "the search is blind"
        assert found_in(files, pieces_of(one.sealed)) == []


def test_a_body_that_is_gone_leaves_the_log_and_the_rest_goes_on(
    database: Database, jetstream: JetStreamRelay
) -> None:
    lost, stays = envelope(), envelope()
    sequence = deposit(database, jetstream, lost)
    deposit(database, jetstream, stays)
    jetstream.broker.purge(f"gatehouse.envelopes.{COMMUNITY}.{lost.envelope}")
    wait_for("the purge", lambda: jetstream.has_lost(COMMUNITY, lost.envelope))
    assert holds(database, jetstream, sequence)
    assert waiting(jetstream) == [stays]
    assert not holds(database, jetstream, sequence)
    deposit(database, jetstream, lost)
    assert waiting(jetstream) == [stays, lost], "sent again, it comes"


def test_a_whole_batch_of_lost_bodies_does_not_hide_what_waits_behind(
    database: Database, jetstream: JetStreamRelay
) -> None:
    for _ in range(5):
        deposit(database, jetstream, envelope(PADDED_SIZES[0]))
    jetstream.broker.purge(f"gatehouse.envelopes.{COMMUNITY}.*")
    one = envelope(PADDED_SIZES[1])
    wait_for("the purge", lambda: jetstream.store.pending(COMMUNITY, 0, limit=5) == [])
    deposit(database, jetstream, one)
    records = jetstream.store.pending(COMMUNITY, 0, limit=2)
    assert [record.sequence for record in records] == [6]


def test_a_refused_upload_leaves_nothing_at_the_brokers(
    database: Database, jetstream: JetStreamRelay
) -> None:
    keys = CommunityKeys(COMMUNITY)
    page = keys.invitation()
    with database.write.begin() as session:
        populate(session, keys)
        publish_invitations(session, COMMUNITY, [published(page, "home")])
    large = msgspec.structs.replace(envelope(), invitation=page.id)
    with pytest.raises(FormRefused, match="body-too-large"):
        Deposits(database, jetstream).deposit(COMMUNITY, large)
    wait_for("the purge", lambda: jetstream.has_lost(COMMUNITY, large.envelope))


def test_a_second_upload_of_what_is_collected_meanwhile_leaves_nothing_there(
    database: Database, jetstream: JetStreamRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = CommunityKeys(COMMUNITY)
    invitation = keys.invitation()
    with database.write.begin() as session:
        populate(session, keys, invitation)
    deposits = Deposits(database, jetstream)
    one = msgspec.structs.replace(envelope(), invitation=invitation.id)
    deposits.deposit(COMMUNITY, one)
    hold = jetstream.hold

    def collected_first(community: str, sealed: EnvelopeDeposited) -> None:
        def collect(session: Session, peer: str, sequences: Sequence[int]) -> None:
            deposits.collect(session, peer, sequences, sealed.received_at)

        jetstream.store.acknowledge(COMMUNITY, jetstream.store.epoch, 1, collect)
        hold(community, sealed)

    monkeypatch.setattr(jetstream, "hold", collected_first)
    monkeypatch.setattr(jetstream, "has_lost", lambda *_: True)
    assert deposits.deposit(COMMUNITY, one).state == "collected"
    monkeypatch.undo()
    wait_for("the purge", lambda: jetstream.has_lost(COMMUNITY, one.envelope))


@pytest.mark.long
def test_brokers_forget_an_envelope_when_its_time_is_over(
    database: Database, one_broker: NatsCluster
) -> None:
    with broker_of(one_broker, lifetime=timedelta(seconds=2)) as broker:
        relay = JetStreamRelay(database.engine, broker, 64 * MIB)
        one = envelope()
        deposit(database, relay, one)
        assert waiting(relay) == [one]
        wait_for("its end", lambda: relay.has_lost(COMMUNITY, one.envelope))
        assert waiting(relay) == []


def test_full_brokers_refuse_what_comes_and_keep_what_they_have(
    database: Database, one_broker: NatsCluster
) -> None:
    with broker_of(one_broker, memory=2 * MIB) as broker:
        relay = JetStreamRelay(database.engine, broker, 2 * MIB)
        broker.purge("gatehouse.envelopes.>")
        first = envelope(PADDED_SIZES[-3])
        deposit(database, relay, first)
        with pytest.raises(Busy, match="cloud-busy"):
            relay.hold("other-court-1111", envelope(PADDED_SIZES[-2]))
        assert waiting(relay) == [first]


def test_one_communitys_share_leaves_others_most_of_the_memory(
    jetstream: JetStreamRelay,
) -> None:
    assert jetstream.room == jetstream.memory * COMMUNITY_SHARE == 8 * MIB


@pytest.mark.long
def test_brokers_that_are_away_are_waited_for_and_nothing_counts_as_lost(
    database: Database, three_brokers: NatsCluster
) -> None:
    with broker_of(three_brokers) as broker:
        relay = JetStreamRelay(database.engine, broker, 64 * MIB)
        one = envelope()
        sequence = deposit(database, relay, one)
        for node in three_brokers.brokers:
            assert node.process is not None
            node.process.send_signal(signal.SIGSTOP)
        try:
            assert waiting(relay) == []
            assert not relay.has_lost(COMMUNITY, one.envelope)
            assert holds(database, relay, sequence)
            with pytest.raises(Busy, match="cloud-busy"):
                relay.hold(COMMUNITY, envelope())
        finally:
            for node in three_brokers.brokers:
                os.kill(node.process.pid, signal.SIGCONT)  # type: ignore[union-attr]
        wait_for("the brokers", lambda: waiting(relay) == [one])


@pytest.mark.long
@pytest.mark.parametrize("emptied", [False, True], ids=["with its disk", "with an empty disk"])
def test_any_one_broker_may_die_and_come_back(
    database: Database,
    three_brokers: NatsCluster,
    emptied: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    with broker_of(three_brokers) as broker:
        relay = JetStreamRelay(database.engine, broker, 64 * MIB)
        sent = []
        for node in three_brokers.brokers:
            sent.append(envelope())
            deposit(database, relay, sent[-1])
            node.kill()
            sent.append(envelope())
            deposit_in_the_end(database, relay, sent[-1])
            wait_for("all bodies", lambda: waiting(relay) == sent)
            if emptied:
                shutil.rmtree(node.store)
            three_brokers.start()
            wait_for("its copy of the stream", lambda: _copies(three_brokers, len(sent)))


@pytest.mark.long
def test_after_all_brokers_were_gone_at_once_the_browser_is_told_and_sends_again(
    database: Database, three_brokers: NatsCluster
) -> None:
    with broker_of(three_brokers) as broker:
        relay = JetStreamRelay(database.engine, broker, 64 * MIB)
        one = envelope()
        deposit(database, relay, one)
        three_brokers.kill()
        assert not relay.has_lost(COMMUNITY, one.envelope), "nobody can say yet"
        three_brokers.start()
        wait_for("the word that it is gone", lambda: relay.has_lost(COMMUNITY, one.envelope))
        assert waiting(relay) == []
        deposit_in_the_end(database, relay, one)
        assert waiting(relay) == [one]


@pytest.mark.long
def test_a_lone_broker_that_starts_anew_gets_its_stream_again(
    database: Database, three_brokers: NatsCluster
) -> None:
    # It keeps streams in memory nowhere else: not even their settings survive.
    three_brokers.kill()
    lone = NatsCluster(three_brokers.brokers[:1])
    lone.brokers[0].configure([], "")
    lone.start()
    with broker_of(lone) as broker:
        relay = JetStreamRelay(database.engine, broker, 64 * MIB)
        one = envelope()
        deposit(database, relay, one)
        lone.kill()
        lone.start()
        wait_for("the word that it is gone", lambda: relay.has_lost(COMMUNITY, one.envelope))
        assert waiting(relay) == []
        deposit_in_the_end(database, relay, one)
        assert waiting(relay) == [one]


def deposit_in_the_end(database: Database, relay: JetStreamRelay, one: EnvelopeDeposited) -> None:
    """Send it as often as a browser does: until it is taken."""

    def taken() -> bool:
        try:
            deposit(database, relay, one)
        except Busy:
            return False
        return True

    wait_for("brokers that take it", taken)


def _copies(cluster: NatsCluster, count: int) -> bool:
    """Say whether every broker's copy of the stream holds so many bodies."""
    seen = [node.ask("jsz") or {} for node in cluster.brokers]
    return all(one.get("messages") == count for one in seen)
