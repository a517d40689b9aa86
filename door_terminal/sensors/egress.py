"""The way out, which is never kept from anybody: exit button and fire input.

Here the gate is asked first and the entry is made after it. A disk that hangs, is full or broken
must not hold people in a building; losing power in between may cost the entry.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Final

from access_rules.alarms import AlarmKind
from access_rules.decision import DecisionReason
from access_rules.people import Credential, Direction
from door_terminal.alarms import AlarmLog
from door_terminal.decisions.decider import Outcome
from door_terminal.entries import Attempt, EntryLog
from door_terminal.errors import GateFailed, NotRecordable, ResetRefused
from door_terminal.gate import Gate, Opening

_log = logging.getLogger(__name__)

HOLD_S: Final = 12.0
"""So long each order of a fire release lasts; nothing has to arrive for the gate to shut again."""
HOLD_EVERY_S: Final = 3.0
"""Between two such orders: three may fail before the gate falls shut."""


@dataclass(frozen=True, slots=True)
class Exits:
    """Asks the gate, then makes the entry, for whoever goes out.

    Attributes:
        entries: The log.
        gate: What opens.
        publish: Told of each outcome.
    """

    entries: EntryLog
    gate: Gate
    publish: Callable[[Outcome], None]

    def open(self, opening: Opening) -> str:
        """Open; return the code of what kept the gate from it, or nothing."""
        try:
            self.gate.open(opening)
        except GateFailed as failed:
            _log.warning("gate failed code=%s entry=%s", failed.code, opening.entry)
            return failed.code
        return ""

    def record(self, entry: str, reason: DecisionReason, gate: str, needed_ns: int) -> None:
        """Make the entry of an opening, where anything can keep it."""
        done_ns = time.monotonic_ns()
        attempt = Attempt(
            granted=True,
            reason=reason,
            credential=Credential.NONE,
            person=None,
            direction=Direction.OUT,
            took_ms=(done_ns - needed_ns) / 1e6,
        )
        try:
            self.entries.record(attempt, entry)
        except NotRecordable:
            _log.exception("the gate was opened from inside and no entry can be made")
        self.publish(
            Outcome(
                entry=entry,
                granted=True,
                reason=reason,
                credential=Credential.NONE,
                gate=gate,
                needed_ns=needed_ns,
                decided_ns=needed_ns,
                recorded_ns=time.monotonic_ns(),
                released_ns=done_ns,
            )
        )


class ExitButton:
    """Opens at each press; presses during one release belong to its entry. Not thread-safe."""

    def __init__(self, exits: Exits, seconds: Callable[[], float]) -> None:
        self._exits = exits
        self._seconds = seconds
        self._entry = ""
        self._until = 0.0

    def press(self, pressed_ns: int) -> None:
        """Open now."""
        now, seconds = time.monotonic(), self._seconds()
        goes_on = now < self._until
        if not goes_on:
            self._entry = secrets.token_hex(16)
        self._until = now + seconds
        gate = self._exits.open(Opening(self._entry, seconds))
        if not goes_on:
            self._exits.record(self._entry, DecisionReason.EXIT_BUTTON, gate, pressed_ns)


class FireRelease:
    """Releases the gate while there is a fire alarm, and until somebody resets it.

    The alarm is the memory: it is stored, so that a restart goes on releasing.

    Args:
        exits: The way to gate and log.
        alarms: The door's alarms.
        burning: The fire input's level.
    """

    def __init__(self, exits: Exits, alarms: AlarmLog, burning: Callable[[], bool | None]) -> None:
        self._exits = exits
        self._alarms = alarms
        self._burning = burning
        self._lock = Lock()
        self._wake = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name="fire", daemon=True)

    @property
    def active(self) -> bool:
        """Whether the gate is held released."""
        return bool(self._alarms.find(AlarmKind.FIRE))

    def start(self) -> None:
        """Begin to follow the fire input."""
        self._thread.start()

    def look(self) -> None:
        """Look at once: the input has changed."""
        self._wake.set()

    def stop(self) -> None:
        """Stop following."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def reset(self, by: str) -> None:
        """End the release; the gate shuts when its last order runs out.

        Args:
            by: Id of the member of staff who says so; empty for one at the door.

        Raises:
            ResetRefused: the fire input is still on, or there is nothing to end.
        """
        with self._lock:
            self.may_reset()
            self._alarms.put(AlarmKind.FIRE, active=False, by=by)

    def may_reset(self) -> None:
        """See whether the release may be ended.

        Raises:
            ResetRefused: the fire input is still on, or there is nothing to end.
        """
        if not self.active:
            raise ResetRefused("there is no fire release")
        if self._burning():
            raise ResetRefused("the fire input is still on", code="fire-still-active")

    def hold(self) -> None:
        """Do what is due now: begin a release, or go on with one."""
        with self._lock:
            alarm, seen_ns = self._alarms.find(AlarmKind.FIRE), time.monotonic_ns()
            new = not alarm and bool(self._burning())
            if new:
                alarm = secrets.token_hex(16)
            if not alarm:
                return
            gate = self._exits.open(Opening(alarm, HOLD_S, awaited=False))
            if new:
                self._alarms.put(AlarmKind.FIRE, active=True, alarm=alarm)
                self._exits.record(alarm, DecisionReason.FIRE_RELEASE, gate, seen_ns)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.hold()
            except Exception:  # noqa: BLE001 - logged; no fault may end a fire release
                _log.exception("the fire release stumbled and goes on")
            self._wake.wait(HOLD_EVERY_S)
            self._wake.clear()
