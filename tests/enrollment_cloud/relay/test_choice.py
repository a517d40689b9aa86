import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from enrollment_cloud.database import Database
from enrollment_cloud.relay.choice import open_relay
from enrollment_cloud.relay.database import DatabaseRelay
from enrollment_cloud.relay.jetstream import JetStreamRelay
from enrollment_cloud.settings import Settings
from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.relay.conftest import deposit, envelope, waiting
from tests.support.nats_cluster import nats_cluster
from tests.tier_link.channel.authorities import Authority
from tier_kit.settings import ConfigurationRefused


@contextmanager
def opened(database: Database, **settings: object) -> Iterator[JetStreamRelay]:
    relay = open_relay(Settings(relay_replicas=1, **settings), database.engine)  # type: ignore[arg-type]  # checked by pydantic
    assert isinstance(relay, JetStreamRelay)
    try:
        yield relay
    finally:
        relay.close()


def test_without_a_setting_envelopes_wait_in_the_database(database: Database) -> None:
    assert isinstance(open_relay(Settings(), database.engine), DatabaseRelay)


def test_brokers_without_their_client_installed_are_refused_by_name(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "enrollment_cloud.relay.broker", None)
    with pytest.raises(ConfigurationRefused, match=r"gatehouse-access\[nats\]"):
        open_relay(Settings(relay="nats://a"), database.engine)


def test_a_missing_certificate_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match="relay_ca"):
        open_relay(Settings(relay="tls://a", relay_ca=tmp_path / "none.pem"), database.engine)


def test_the_brokers_certificate_and_the_clouds_password_are_checked(
    database: Database, tmp_path: Path
) -> None:
    authority, other = Authority(), Authority()
    authority.server_tls(tmp_path)
    pem, ca, wrong_ca = tmp_path / "server.pem", tmp_path / "ca.pem", tmp_path / "other.pem"
    ca.write_text(authority.pem)
    wrong_ca.write_text(other.pem)
    settings = (
        f'tls {{ cert_file: "{pem}", key_file: "{pem}" }}\n'
        'authorization { user: gate, password: "right" }\n'
    )
    with nats_cluster(tmp_path / "nats", 1, settings) as cluster:
        right = {
            "relay": cluster.address.replace("nats:", "tls:"),
            "relay_ca": ca,
            "relay_user": "gate",
            "relay_password": SecretStr("right"),
        }
        with (
            opened(database, **right) as relay,
            opened(database, **right | {"relay_ca": wrong_ca}) as distrustful,
            opened(database, **right | {"relay_password": SecretStr("wrong")}) as refused,
        ):
            wait_for("the broker", lambda: relay.available)
            one = envelope()
            deposit(database, relay, one)
            assert waiting(relay) == [one]
            assert not distrustful.available
            assert not refused.available
