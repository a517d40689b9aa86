"""Events published to the estate's MQTT broker, each at least once.

Quality of service 1: an event counts as published when the broker has acknowledged it, and how
far that has come stands in the database. After a restart the last ones may come twice; `event`
tells doubles. `<topic>/status` says `online`, or `offline` by the broker's word (the last will).
"""

import json
import logging
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy.orm import Session

from community_server.errors import StartRefused
from community_server.events.service import behind, newest_number, oldest_number
from community_server.events.tables import EventMark
from community_server.settings import Settings

_log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 30
LONGEST_RETRY_S: Final = 60
CONNECT_S: Final = 5.0
UNDERWAY: Final = 100
"""Events that may wait for the broker's acknowledgement at a time."""
_MARK: Final = "mqtt"


@dataclass(frozen=True)
class BrokerState:
    """How publishing is doing; `trouble` is what the broker said last, empty for nothing."""

    wanted: bool
    connected: bool = False
    trouble: str = ""


class EventPublisher:
    """Publishes what is behind its mark; without `mqtt_host` it does nothing."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; `start` connects.

        Raises:
            StartRefused: `mqtt_ca` cannot be used.
        """
        self._settings = settings
        self._lock = Lock()
        self._state = BrokerState(wanted=bool(settings.mqtt_host))
        self._underway: deque[tuple[int, paho.MQTTMessageInfo]] = deque()
        self._client = self._make() if settings.mqtt_host else None

    @property
    def state(self) -> BrokerState:
        """How publishing is doing."""
        with self._lock:
            return self._state

    def start(self) -> None:
        """Begin to connect; again and again, by itself."""
        if self._client is None:
            return
        port = self._settings.mqtt_port or (8883 if self._settings.mqtt_tls else 1883)
        if self._settings.mqtt_version == "5":
            self._client.connect_async(
                self._settings.mqtt_host, port, KEEPALIVE_S, clean_start=True
            )
        else:
            self._client.connect_async(self._settings.mqtt_host, port, KEEPALIVE_S)
        self._client.loop_start()

    def close(self) -> None:
        """Say that nothing more comes, and disconnect."""
        if self._client is None:
            return
        if self.state.connected:
            self._client.publish(self._topic("status"), "offline", qos=1, retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    def pump(self, session: Session) -> None:
        """Move the mark past what was acknowledged, and hand over what comes next."""
        if self._client is None:
            return
        mark = session.get(EventMark, _MARK)
        if mark is None:  # a broker that is new to us is not told of last month
            mark = EventMark(reader=_MARK, number=newest_number(session))
            session.add(mark)
        while self._underway and self._underway[0][1].is_published():
            mark.number, _ = self._underway.popleft()
        if not self.state.connected:
            return
        last = self._underway[-1][0] if self._underway else mark.number
        last = max(last, oldest_number(session) - 1)  # what was away for longer is gone
        for event in behind(session, last, UNDERWAY - len(self._underway)):
            sent = self._client.publish(
                self._topic(f"events/{event.kind}"), json.dumps(event.as_json()), qos=1
            )
            self._underway.append((event.number, sent))

    def _topic(self, rest: str) -> str:
        return f"{self._settings.mqtt_topic}/{rest}"

    def _make(self) -> paho.Client:
        settings, five = self._settings, self._settings.mqtt_version == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            clean_session=None if five else True,  # version 5 says it when it connects
        )
        if settings.mqtt_username:
            client.username_pw_set(settings.mqtt_username, settings.mqtt_password or None)
        if settings.mqtt_tls:
            try:
                client.tls_set(ca_certs=str(settings.mqtt_ca) if settings.mqtt_ca else None)
            except OSError as error:
                raise StartRefused(
                    f"mqtt_ca cannot be used: {error}", code="configuration-malformed"
                ) from error
        client.will_set(self._topic("status"), "offline", qos=1, retain=True)
        client.connect_timeout = CONNECT_S
        client.reconnect_delay_set(1, LONGEST_RETRY_S)
        client.on_connect, client.on_disconnect = self._up, self._down
        client.on_publish = self._published
        return client

    def _up(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            _log.warning("mqtt broker refuses: %s", reason)
            self._note(connected=False, trouble=str(reason))
            return
        client.publish(self._topic("status"), "online", qos=1, retain=True)
        _log.info("mqtt broker up")
        self._note(connected=True, trouble="")

    def _down(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self.state.connected:
            _log.warning("mqtt broker down: %s", reason)
            self._note(connected=False, trouble=str(reason))

    def _published(
        self, _client: paho.Client, _data: Any, _mid: int, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:  # version 5 says so; before it a broker dropped in silence
            _log.warning("mqtt broker does not take an event: %s", reason)
            self._note(connected=True, trouble=str(reason))

    def _note(self, *, connected: bool, trouble: str) -> None:
        with self._lock:
            self._state = BrokerState(wanted=True, connected=connected, trouble=trouble)
