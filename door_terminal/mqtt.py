"""One connection to the estate's MQTT broker, in which nothing waits to be sent later.

Quality of service 0 throughout, with a clean session. At 1 and 2 a client sends again after a
reconnect what was not acknowledged, and a broker keeps it for a relay that is away: both would
deliver an order to open when whoever it was for has left. What gets lost at 0 is noticed by the
relay's answer, where one is configured.
"""

import logging
import socket
import struct
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from door_terminal.errors import PeerUnreachable, StartRefused
from door_terminal.prompt_sockets import give_up_after
from door_terminal.settings import Settings

_log = logging.getLogger(__name__)

EXPIRY_S: Final = 2
"""Seconds after which a broker of MQTT 5 must not deliver an order any more (3.3.2.3.3)."""
KEEPALIVE_S: Final = 10
"""A broker that is gone is noticed after one and a half times this."""
_LONGEST_RETRY_S: Final = 10
_NO_LINGER: Final = struct.pack("ii", 1, 0)  # what is not sent when the socket closes is dropped

Heard = Callable[[str, bool], None]
"""Called with payload and whether the broker had kept the message from before."""


class MqttConnection:
    """Connects by itself, again and again; thread-safe."""

    def __init__(self, settings: Settings, *, subscriptions: dict[str, Heard]) -> None:
        """Begin to connect; a broker that is away does not keep the door from starting.

        Raises:
            StartRefused: `mqtt_host` is missing, or the authority's file cannot be used.
        """
        if not settings.mqtt_host:
            raise StartRefused("mqtt needs mqtt_host", code="configuration-malformed")
        self._timeout_s = settings.gate_timeout_s
        self._five = settings.mqtt_version == "5"
        self._subscriptions = subscriptions
        self._lock = Lock()
        self._connected = False
        self._client = self._make(settings)
        port = settings.mqtt_port or (8883 if settings.mqtt_tls else 1883)
        self._connect(settings.mqtt_host, port)
        self._client.loop_start()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._connected

    def publish_now(self, topic: str, payload: str) -> None:
        """Send one message at once, or never.

        Raises:
            PeerUnreachable: there is no broker, or it does not take the message in time.
        """
        # The lock is also the one under which the end of a connection is noted: a message queued
        # here belongs to the connection looked at, and is thrown away together with it.
        with self._lock:
            if not self._connected:
                raise PeerUnreachable("the MQTT broker is not connected")
            info = self._client.publish(
                topic, payload.encode(), qos=0, retain=False, properties=self._expiring()
            )
        sent = False
        if info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
            try:
                info.wait_for_publish(self._timeout_s)
                sent = info.is_published()
            except (RuntimeError, ValueError):
                sent = False
        if not sent or info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.drop()
            raise PeerUnreachable("the MQTT broker does not take messages")

    def drop(self) -> None:
        """End the connection and with it whatever is still on its way; it comes up again."""
        open_socket: Any = self._client.socket()
        if open_socket is not None:
            try:
                open_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                open_socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                _log.debug("the broker's socket was closed already")

    def close(self) -> None:
        """Disconnect for good."""
        self._client.disconnect()
        self._client.loop_stop()

    def _make(self, settings: Settings) -> paho.Client:
        protocol = paho.MQTTv5 if self._five else paho.MQTTv311
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            protocol=protocol,
            clean_session=None if self._five else True,  # version 5 says it when it connects
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
        client.connect_timeout = self._timeout_s
        client.reconnect_delay_set(1, _LONGEST_RETRY_S)
        client.on_socket_open = self._opened
        client.on_connect = self._up
        client.on_disconnect = self._down
        client.on_message = self._heard
        return client

    def _connect(self, host: str, port: int) -> None:
        if self._five:
            self._client.connect_async(host, port, KEEPALIVE_S, clean_start=True)
        else:
            self._client.connect_async(host, port, KEEPALIVE_S)

    def _expiring(self) -> Properties | None:
        if not self._five:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = EXPIRY_S
        return properties

    def _opened(self, _client: paho.Client, _data: Any, opened: Any) -> None:
        opened.setsockopt(*give_up_after(self._timeout_s))

    def _up(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            _log.warning("mqtt broker refuses: %s", reason)
            return
        for topic in self._subscriptions:
            client.subscribe(topic, qos=0)
        _log.info("mqtt broker up")
        with self._lock:
            self._connected = True

    def _down(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        with self._lock:
            was, self._connected = self._connected, False
        if was:
            _log.warning("mqtt broker down: %s", reason)

    def _heard(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        heard = self._subscriptions.get(message.topic)
        if heard is not None:
            heard(message.payload.decode("utf-8", "replace"), bool(message.retain))
