"""The gate with somebody looking on: who watches the door contact must know of every release."""

from collections.abc import Callable

from door_terminal.gate.driver import Gate, Opening


class WatchedGate:
    """Tells of each order before the gate hears of it: a door may open before the gate answers."""

    def __init__(self, gate: Gate, told: Callable[[Opening], None]) -> None:
        self._gate = gate
        self._told = told

    def open(self, opening: Opening) -> None:
        """Tell, and open.

        Raises:
            GateFailed: the gate did not confirm it.
        """
        self._told(opening)
        self._gate.open(opening)

    def close(self) -> None:
        """Let the wiring go."""
        self._gate.close()
