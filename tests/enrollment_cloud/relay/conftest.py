"""Relays of both kinds, and brokers for one of them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from enrollment_cloud.database import Database
from enrollment_cloud.relay import Relay
from enrollment_cloud.relay.broker import Broker
from enrollment_cloud.relay.database import DatabaseRelay
from enrollment_cloud.relay.jetstream import JetStreamRelay
from enrollment_cloud.relay.stream import BrokerAccess
from gatehouse.local_estate import wait_for
from tests.support.nats_cluster import NatsCluster, nats_cluster
from tier_link.relay_messages import RELAY, EnvelopeDeposited
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD, SUITE_NAME

COMMUNITY = "sunny-court-4f2a"
DAY = timedelta(hours=24)


def envelope(size: int = PADDED_SIZES[3]) -> EnvelopeDeposited:
    """An envelope of random bytes, received now."""
    return EnvelopeDeposited(
        envelope=os.urandom(16).hex(),
        invitation=os.urandom(16).hex(),
        key="w1",
        suite=SUITE_NAME,
        sealed_by="browser",
        received_at=int(time.time()),
        sealed=os.urandom(size + SEAL_OVERHEAD),
    )


def deposit(
    database: Database, relay: Relay, one: EnvelopeDeposited, community: str = COMMUNITY
) -> int:
    """Take an envelope as an upload does."""
    relay.hold(community, one)
    with database.write.begin() as session:
        return relay.deposit(session, community, one)


def holds(database: Database, relay: Relay, sequence: int) -> bool:
    with database.read() as session:
        return relay.holds(session, COMMUNITY, sequence)


def waiting(relay: Relay, community: str = COMMUNITY) -> list[EnvelopeDeposited]:
    """Return what a link would send, in its order."""
    found = []
    for record in relay.store.pending(community, 0, limit=1000, max_bytes=1 << 30):
        message = RELAY.decode(record.kind, record.body)
        assert isinstance(message, EnvelopeDeposited)
        found.append(message)
    return found


@contextmanager
def broker_of(
    cluster: NatsCluster,
    *,
    lifetime: timedelta = DAY,
    memory: int = 64 << 20,
    replicas: int | None = None,
) -> Iterator[Broker]:
    """Connect to a cluster; its stream is as the arguments say."""
    replicas = replicas or len(cluster.brokers)
    servers = tuple(cluster.address.split(","))
    broker = Broker(BrokerAccess(servers, replicas, memory, lifetime))
    try:
        wait_for("the broker", lambda: broker.prepared)
        yield broker
    finally:
        broker.close()


@pytest.fixture(scope="session")
def one_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    """A broker that stands alone, for whatever needs no others; nobody stops it."""
    with nats_cluster(tmp_path_factory.mktemp("nats"), 1) as cluster:
        yield cluster


@pytest.fixture
def jetstream(one_broker: NatsCluster, database: Database) -> Iterator[JetStreamRelay]:
    """A relay over that broker, with nothing in it."""
    with broker_of(one_broker) as broker:
        broker.purge("gatehouse.envelopes.>")
        yield JetStreamRelay(database.engine, broker, 64 << 20)


@pytest.fixture(params=["embedded", "jetstream"])
def relay(request: pytest.FixtureRequest, database: Database) -> Relay:
    """A relay of each kind, over each kind of database."""
    if request.param == "embedded":
        return DatabaseRelay(database.engine)
    found: JetStreamRelay = request.getfixturevalue("jetstream")
    return found


@pytest.fixture
def three_brokers(tmp_path: Path) -> Iterator[NatsCluster]:
    """A cluster of a test's own, to be killed."""
    with nats_cluster(tmp_path / "nats") as cluster:
        yield cluster
