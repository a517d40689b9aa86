"""Inputs that others publish to a broker.

A level that the broker has kept tells how things stand, and counts. Without the broker a level is
unknown, which changes nothing at the door but that it is told. There is no exit button here: a
network may deliver a press when whoever pressed has left.
"""

from collections.abc import Mapping

from door_terminal.mqtt import MqttConnection
from door_terminal.settings import Settings


class MqttInput:
    """The last that was heard on one topic; the message `active` means active, any other not."""

    def __init__(self, active: str) -> None:
        self._active = active
        self._level: bool | None = None
        self.connection: MqttConnection | None = None

    def hear(self, payload: str, kept: bool) -> None:  # noqa: FBT001 - the connection's callback
        """Take a message, also one that the broker had `kept`."""
        del kept
        self._level = payload == self._active

    def read(self) -> bool | None:
        """Say whether the input is active; None without broker, or before anything was heard."""
        connected = self.connection is not None and self.connection.connected
        return self._level if connected else None

    def close(self) -> None:
        """Disconnect; one connection serves all inputs of a door."""
        if self.connection is not None:
            self.connection.close()


def connect_inputs(settings: Settings, inputs: Mapping[str, MqttInput]) -> None:
    """Subscribe inputs, by topic, over one connection.

    Raises:
        StartRefused: the broker's settings cannot be used.
    """
    connection = MqttConnection(
        settings, subscriptions={topic: one.hear for topic, one in inputs.items()}
    )
    for one in inputs.values():
        one.connection = connection
