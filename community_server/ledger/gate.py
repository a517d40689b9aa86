"""Whether this server may serve: after a restore not before its ledger is whole."""

from threading import Event


class LedgerGate:
    """Open, but for the time between a restore and the ledger's return. Thread-safe."""

    def __init__(self, *, waiting: bool = False) -> None:
        self._open = Event()
        if not waiting:
            self._open.set()

    @property
    def is_open(self) -> bool:
        """Whether the server may serve."""
        return self._open.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for that; say whether it is so."""
        return self._open.wait(seconds)

    def lift(self) -> None:
        """Open it, for good."""
        self._open.set()
