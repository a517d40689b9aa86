"""A relay behind a real broker: opened once, at once or never, and only while it answers."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from door_terminal.errors import GateFailed, StartRefused
from door_terminal.gate import Opening, open_gate
from door_terminal.gate.mqtt import MqttGate
from door_terminal.settings import Settings
from tests.door_terminal.estate import Authority, eventually
from tests.support.brokers import broker_at_hand, listener, own_broker

OPENING = Opening("e" * 32, 5.0)
NEXT = Opening("f" * 32, 5.0)


def mqtt_settings(port: int, topic: str, **more: Any) -> Settings:
    given: dict[str, Any] = {"gate": "mqtt", "mqtt_host": "127.0.0.1", "mqtt_port": port}
    return Settings(**(given | {"gate_topic": topic} | more))


def connected(gate: MqttGate) -> None:
    eventually(lambda: gate._connection.connected)


@pytest.fixture
def topic() -> str:
    return f"gatehouse-test/{secrets.token_hex(6)}"


@pytest.fixture
def port() -> int:
    return broker_at_hand()[1]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_one_opening_is_one_message_that_no_broker_keeps(
    port: int, topic: str, version: str
) -> None:
    heard: Queue[paho.MQTTMessage] = Queue()
    settings = mqtt_settings(port, topic, mqtt_version=version)
    with (
        listener("127.0.0.1", port, topic, lambda _, message: heard.put(message)),
        closing(MqttGate(settings)) as gate,
    ):
        connected(gate)
        gate.open(OPENING)
        message = heard.get(timeout=10)
        gate.open(NEXT)
        assert b"f" * 32 in heard.get(timeout=10).payload  # nothing came in between
    assert message.payload == b'{"open_s": 5, "entry": "' + b"e" * 32 + b'"}'
    assert (message.retain, message.qos) == (False, 0)
    if version == "5":
        properties: Any = message.properties
        assert properties.MessageExpiryInterval <= 2
    with (  # whoever comes later hears of nothing
        listener("127.0.0.1", port, topic, lambda _, message: heard.put(message)),
        pytest.raises(Empty),
    ):
        heard.get(timeout=0.3)


@contextmanager
def patient_relay(port: int, topic: str, heard: Queue[bytes | bytearray]) -> Iterator[None]:
    """Run the most patient relay there can be: its session outlives it, at the highest quality."""
    relay = paho.Client(CallbackAPIVersion.VERSION2, topic.replace("/", "-"), clean_session=False)
    subscribed: Queue[bool] = Queue()
    relay.on_message = lambda _client, _data, message: heard.put(message.payload)
    relay.on_subscribe = lambda *_: subscribed.put(True)
    relay.connect("127.0.0.1", port)
    relay.subscribe(topic, qos=2)
    relay.loop_start()
    subscribed.get(timeout=10)
    yield
    relay.disconnect()
    relay.loop_stop()


def test_a_relay_that_was_away_is_not_told_when_it_comes_back(port: int, topic: str) -> None:
    heard: Queue[bytes | bytearray] = Queue()
    with patient_relay(port, topic, heard):
        pass
    with closing(MqttGate(mqtt_settings(port, topic))) as gate:
        connected(gate)
        gate.open(OPENING)
        with patient_relay(port, topic, heard):
            gate.open(NEXT)
            assert b"f" * 32 in heard.get(timeout=10)


def test_an_opening_without_broker_fails_and_is_not_made_up_for(tmp_path: Path, topic: str) -> None:
    heard: Queue[bytes | bytearray] = Queue()
    with (
        own_broker(tmp_path) as broker,
        closing(MqttGate(mqtt_settings(broker.port, topic))) as gate,
    ):
        connected(gate)
        broker.down()
        eventually(lambda: not gate._connection.connected)
        with pytest.raises(GateFailed) as failed:
            gate.open(OPENING)
        assert failed.value.code == "gate-unreachable"
        broker.up()
        with listener("127.0.0.1", broker.port, topic, lambda _, m: heard.put(m.payload)):
            connected(gate)
            gate.open(NEXT)
            assert b"f" * 32 in heard.get(timeout=10)


def test_the_relays_answer_is_waited_for(port: int, topic: str) -> None:
    answer = topic + "/done"
    settings = mqtt_settings(port, topic, gate_confirm_topic=answer, gate_confirm="open {entry}")
    said = [b"open " + b"e" * 32]

    def relay(client: paho.Client, message: paho.MQTTMessage) -> None:
        del message
        client.publish(answer, said[0])

    with (
        listener("127.0.0.1", port, topic, relay),
        closing(MqttGate(settings)) as gate,
    ):
        connected(gate)
        gate.open(OPENING)
        said[0] = b"open " + b"0" * 32  # an answer to another one
        with pytest.raises(GateFailed):
            gate.open(NEXT)


def test_an_answer_that_the_broker_had_kept_counts_for_nothing(port: int, topic: str) -> None:
    answer = topic + "/done"
    settings = mqtt_settings(port, topic, gate_confirm_topic=answer, gate_timeout_s=0.5)
    with listener("127.0.0.1", port, answer, lambda *_: None) as client:
        client.publish(answer, b"done", qos=1, retain=True).wait_for_publish(10)
        with closing(MqttGate(settings)) as gate:
            connected(gate)
            with pytest.raises(GateFailed):
                gate.open(OPENING)
        client.publish(answer, b"", qos=1, retain=True).wait_for_publish(10)


# Where the broker is not trusted, paho leaves the socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_brokers_certificate_and_the_doors_password_are_checked(
    tmp_path: Path, topic: str
) -> None:
    authority = Authority.make(tmp_path, days=30)
    ca = tmp_path / "ca.pem"
    ca.write_text(authority.ca_pem)
    passwords = tmp_path / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", str(passwords), "gate", "right"],
        check=True,
        capture_output=True,
    )
    pem = tmp_path / "server.pem"
    with own_broker(
        tmp_path,
        f"password_file {passwords}\ncertfile {pem}\nkeyfile {pem}\n",
    ) as broker:
        secure: dict[str, Any] = {"mqtt_tls": True, "mqtt_ca": ca, "mqtt_username": "gate"}
        right = mqtt_settings(broker.port, topic, **secure | {"mqtt_password": "right"})
        wrong = right.model_copy(update={"mqtt_password": "wrong"})
        unknown = right.model_copy(update={"mqtt_ca": None})
        with (
            closing(MqttGate(wrong)) as refused,
            closing(MqttGate(unknown)) as distrustful,
            closing(MqttGate(right)) as gate,
        ):
            connected(gate)
            gate.open(OPENING)
            for one in (refused, distrustful):
                with pytest.raises(GateFailed):
                    one.open(OPENING)
    assert "right" not in repr(right)


@pytest.mark.parametrize(
    "missing", [{"gate_topic": ""}, {"mqtt_host": ""}, {"mqtt_tls": True, "mqtt_ca": "/missing"}]
)
def test_an_mqtt_gate_without_a_setting_does_not_start(missing: dict[str, Any]) -> None:
    with pytest.raises(StartRefused) as refused:
        open_gate(mqtt_settings(1883, "gate", **missing))
    assert refused.value.code == "configuration-malformed"
