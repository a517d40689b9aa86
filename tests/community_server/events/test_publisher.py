"""Events on a real Mosquitto: each at least once, in order, over outages of either side."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import paho.mqtt.client as paho
import pytest
from sqlalchemy.orm import Session

from community_server.errors import StartRefused
from community_server.events.publisher import EventPublisher
from community_server.events.tables import EventMark
from community_server.herald import Herald
from community_server.settings import Settings
from gatehouse.local_estate import wait_for
from tests.community_server.alarms.gates import Gate, raised
from tests.community_server.bench import Bench
from tests.support.brokers import listener, own_broker
from tests.tier_link.channel.authorities import Authority


@dataclass
class Heard:
    """What a program heard on the broker."""

    messages: Queue[tuple[str, str, int, bool]] = field(default_factory=Queue)

    def __call__(self, _client: paho.Client, message: paho.MQTTMessage) -> None:
        self.messages.put((message.topic, message.payload.decode(), message.qos, message.retain))

    def next(self, topic: str) -> tuple[str, int, bool]:
        """Return payload, quality of service and whether it was kept, of the next on a topic."""
        while True:
            try:
                heard, payload, qos, kept = self.messages.get(timeout=15)
            except Empty:
                raise AssertionError(f"nothing on {topic}") from None
            if heard == topic:
                return payload, qos, kept


@contextmanager
def publishing(
    bench: Bench, **settings: Any
) -> Iterator[tuple[EventPublisher, Callable[[], None]]]:
    """Run a publisher; the second value takes one step of it."""
    chosen = {"mqtt_host": "127.0.0.1", "mqtt_topic": "estate/one"} | settings
    publisher = EventPublisher(bench.estate.settings.model_copy(update=chosen))

    def step() -> None:
        Herald(bench.estate).step()
        with Session(bench.estate.engine) as session, session.begin():
            publisher.pump(session)

    publisher.start()
    try:
        wait_for("the broker", lambda: publisher.state.connected)
        step()
        yield publisher, step
    finally:
        publisher.close()


def mark(bench: Bench) -> int:
    with bench.estate.reading() as session:
        return session.get_one(EventMark, "mqtt").number


def test_events_are_published_by_kind_and_the_broker_says_when_the_server_is_gone(
    bench: Bench, tmp_path: Path
) -> None:
    heard, gate = Heard(), Gate(bench)
    with own_broker(tmp_path) as broker, listener("127.0.0.1", broker.port, "#", heard):
        with publishing(bench, mqtt_port=broker.port) as (publisher, step):
            assert heard.next("estate/one/status") == ("online", 1, False)
            entry = gate.entry()
            gate.tell(raised())
            step()
            payload, qos, kept = heard.next("estate/one/events/entry")
            event = json.loads(payload)
            assert (event["data"]["entry"], event["kind"], qos, kept) == (entry, "entry", 1, False)
            alarm = json.loads(heard.next("estate/one/events/alarm-raised")[0])
            assert alarm["number"] == event["number"] + 1

            def moved() -> bool:
                step()
                return mark(bench) == int(alarm["number"])

            wait_for("the mark", moved)
            # The connection breaks without a word, as by a power cut.
            broken = publisher._client
            assert broken is not None
            broken._sock_close()
            assert heard.next("estate/one/status")[0] == "offline"
            assert heard.next("estate/one/status")[0] == "online"
        assert heard.next("estate/one/status")[0] == "offline"


def test_what_happened_while_the_broker_was_away_comes_when_it_is_back(
    bench: Bench, tmp_path: Path
) -> None:
    heard, gate = Heard(), Gate(bench)
    with own_broker(tmp_path) as broker:
        with publishing(bench, mqtt_port=broker.port) as (publisher, step):
            broker.down()
            wait_for("its absence", lambda: not publisher.state.connected)
            entries = [gate.entry() for _ in range(3)]
            step()
            broker.up()
            with listener("127.0.0.1", broker.port, "estate/one/events/#", heard):
                wait_for("the broker", lambda: publisher.state.connected)
                step()
                for entry in entries:
                    payload, _, _ = heard.next("estate/one/events/entry")
                    assert json.loads(payload)["data"]["entry"] == entry
        # A server that starts anew goes on where the broker's word ended, or a little before.
        with listener("127.0.0.1", broker.port, "estate/one/events/#", heard):
            last = gate.entry()
            with publishing(bench, mqtt_port=broker.port):
                while json.loads(heard.next("estate/one/events/entry")[0])["data"]["entry"] != last:
                    pass


def test_password_and_tls_are_used_and_a_refusal_is_shown(bench: Bench, tmp_path: Path) -> None:
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto_passwd is not installed")
    authority = Authority()
    authority.server_tls(tmp_path)
    (tmp_path / "ca.pem").write_text(authority.pem)
    pem, passwords = tmp_path / "server.pem", tmp_path / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", str(passwords), "gatehouse", "right"], check=True
    )
    configuration = (
        f"password_file {passwords}\ncafile {tmp_path / 'ca.pem'}\n"
        f"certfile {pem}\nkeyfile {pem}\nallow_anonymous false\n"
    )
    with own_broker(tmp_path, configuration) as broker:
        secured = {"mqtt_port": broker.port, "mqtt_tls": True, "mqtt_username": "gatehouse"}
        trusting = secured | {"mqtt_ca": tmp_path / "ca.pem", "mqtt_password": "right"}
        with publishing(bench, **trusting):
            pass
        wrong = trusting | {"mqtt_host": "127.0.0.1", "mqtt_password": "wrong"}
        publisher = EventPublisher(bench.estate.settings.model_copy(update=wrong))
        publisher.start()
        wait_for("the refusal", lambda: publisher.state.trouble)
        assert not publisher.state.connected
        publisher.close()
    with pytest.raises(StartRefused):
        EventPublisher(
            bench.estate.settings.model_copy(
                update={"mqtt_host": "a", "mqtt_tls": True, "mqtt_ca": tmp_path / "none.pem"}
            )
        )


def test_without_a_broker_in_the_settings_nothing_is_done(bench: Bench) -> None:
    publisher = EventPublisher(Settings(data=bench.estate.settings.data))
    publisher.start()
    with Session(bench.estate.engine) as session:
        publisher.pump(session)
    publisher.close()
    assert not publisher.state.wanted
