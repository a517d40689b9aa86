"""A relay that opens on an MQTT message.

Who may publish to its topic may open: the broker's access control decides that, not the door.
"""

from threading import Condition, Lock

from door_terminal.errors import GateFailed, PeerUnreachable
from door_terminal.gate.driver import Opening
from door_terminal.mqtt import MqttConnection
from door_terminal.settings import Settings


class MqttGate:
    """Publishes one message for each opening; see `door_terminal.mqtt` for what never happens."""

    def __init__(self, settings: Settings) -> None:
        """Begin to connect.

        Raises:
            StartRefused: a setting is missing or cannot be used.
        """
        self._settings = settings
        self._lock = Lock()
        self._answered = Condition()
        self._wanted: str | None = None
        confirm = settings.gate_confirm_topic
        self._connection = MqttConnection(
            settings, subscriptions={confirm: self._hear} if confirm else {}
        )

    def open(self, opening: Opening) -> None:
        """Publish once, and wait for the relay's answer where there is to be one.

        Raises:
            GateFailed: no broker, no answer in time, or the opening before still waits for its own.
        """
        timeout_s = self._settings.gate_timeout_s
        if not self._lock.acquire(timeout=timeout_s):
            raise GateFailed("the relay has not answered the one before", code="gate-busy")
        try:
            with self._answered:
                self._wanted = opening.fill(self._settings.gate_confirm)
            try:
                self._connection.publish_now(
                    self._settings.gate_topic, opening.fill(self._settings.gate_payload)
                )
            except PeerUnreachable as error:
                raise GateFailed(str(error)) from error
            if self._settings.gate_confirm_topic and not self._answer(timeout_s):
                raise GateFailed("the relay did not answer")
        finally:
            with self._answered:
                self._wanted = None
            self._lock.release()

    def close(self) -> None:
        """Disconnect; the relay ends its own pulse."""
        self._connection.close()

    def _answer(self, timeout_s: float) -> bool:
        with self._answered:
            return self._answered.wait_for(lambda: self._wanted is None, timeout_s)

    def _hear(self, payload: str, kept: bool) -> None:  # noqa: FBT001 - the connection's callback
        with self._answered:
            # What the broker had kept answers an opening of long ago.
            if not kept and self._wanted in {"", payload}:
                self._wanted = None
                self._answered.notify_all()
