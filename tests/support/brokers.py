"""Real MQTT brokers: the one at hand, and Mosquittos of a test's own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gatehouse.local_estate import free_port

BROKER: Final = urlsplit(os.environ.get("GATEHOUSE_TEST_MQTT", "mqtt://127.0.0.1:1883"))


def broker_at_hand() -> tuple[str, int]:
    """Return host and port of the broker that is at hand; skip the test where there is none."""
    host, port = BROKER.hostname or "127.0.0.1", BROKER.port or 1883
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError as error:
        pytest.skip(f"no MQTT broker at {host}:{port}: {error}")
    return host, port


class OwnBroker:
    """A Mosquitto on a port of its own, started and stopped at will."""

    def __init__(self, folder: Path, configuration: str) -> None:
        found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if found is None:
            pytest.skip("mosquitto is not installed")
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        user = "" if os.getuid() else "user root\n"  # else it could not read the test's files
        self._file.write_text(f"{user}listener {self.port} 127.0.0.1\n{configuration}")
        self._program = found
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("mosquitto does not start")

    def down(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@contextmanager
def own_broker(folder: Path, configuration: str = "allow_anonymous true\n") -> Iterator[OwnBroker]:
    broker = OwnBroker(folder, configuration)
    broker.up()
    try:
        yield broker
    finally:
        broker.down()


@contextmanager
def listener(
    host: str, port: int, topic: str, heard: Callable[[paho.Client, paho.MQTTMessage], None]
) -> Iterator[paho.Client]:
    """Run a client that is subscribed to a topic, in version 5."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    subscribed: Queue[bool] = Queue()

    def on_subscribe(*_arguments: Any) -> None:
        subscribed.put(True)

    def on_message(client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        heard(client, message)

    client.on_subscribe, client.on_message = on_subscribe, on_message
    client.connect(host, port)
    client.subscribe(topic, qos=1)
    client.loop_start()
    subscribed.get(timeout=10)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
