"""Reads the inputs, for ever, on a thread of its own."""

import logging
import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Final

from door_terminal.sensors.debounce import Debouncer
from door_terminal.sensors.inputs import Input, Source

_log = logging.getLogger(__name__)

POLL_S: Final = 0.01
"""Between two readings: several within the shortest press of a button."""
LOST_S: Final = 30.0
"""An input that cannot be read for so long is told of: a broker may be restarted meanwhile."""


class InputWatch:
    """Reads and debounces; tells of changes on its thread, which nothing slow may hold up.

    Args:
        sources: The inputs that are wired.
        steady_s: How long a level must last to count.
        changed: Told the input, its level, and the level before (None for the first).
        lost: Told whether an input cannot be read, whenever that changes.
        tick: Called after each round, with the time.
    """

    def __init__(
        self,
        sources: Mapping[Input, Source],
        *,
        steady_s: float,
        changed: Callable[[Input, bool, bool | None], None],
        lost: Callable[[bool], None],
        tick: Callable[[float], None],
    ) -> None:
        self._sources = dict(sources)
        self._levels = {one: Debouncer(steady_s) for one in sources}
        self._changed = changed
        self._lost = lost
        self._tick = tick
        self._read_at: dict[Input, float] = {}
        self._is_lost: bool | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="inputs", daemon=True)

    def level(self, one: Input) -> bool | None:
        """Return an input's level; None when it is not wired or not known yet."""
        debouncer = self._levels.get(one)
        return debouncer.level if debouncer else None

    def levels(self) -> dict[str, bool | None]:
        """Return the levels of what is wired, by name."""
        return {one.value: debouncer.level for one, debouncer in self._levels.items()}

    def start(self) -> None:
        """Begin to read."""
        now = time.monotonic()
        self._read_at = dict.fromkeys(self._sources, now)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading and let the wiring go."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for source in self._sources.values():
            source.close()

    def look(self, now: float) -> None:
        """Read every input once."""
        for one, source in self._sources.items():
            level, before = source.read(), self._levels[one].level
            if level is not None:
                self._read_at[one] = now
            if self._levels[one].sample(level, now) and level is not None:
                self._changed(one, level, before)
        is_lost = any(now - at > LOST_S for at in self._read_at.values())
        if is_lost is not self._is_lost:
            self._is_lost = is_lost
            self._lost(is_lost)
        self._tick(now)

    def _run(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                self.look(time.monotonic())
            except Exception:  # noqa: BLE001 - logged; no fault may silence the exit button
                _log.exception("inputs could not be read; the next reading goes on")
