"""Somebody rings, and who answers: one call at a time, answered once.

A call is nothing durable: it rings while its caller waits, and not again after a restart. What it
leaves is an entry when staff answered, else an alarm that somebody rang and nobody did.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Final

from access_rules.alarms import AlarmKind
from access_rules.decision import DecisionReason
from access_rules.people import Credential, Direction
from door_terminal.alarms import AlarmLog
from door_terminal.decisions.decider import Outcome
from door_terminal.entries import Attempt, EntryLog
from door_terminal.errors import CallEnded, NotRecordable
from tier_link.estate_messages import CallRefused

_log = logging.getLogger(__name__)

RING_S: Final = 60.0
"""So long a call rings. Who has waited a minute wants to know that nobody comes."""
MISSED_FROM_S: Final = 10.0
"""A call that its caller gives up sooner was a slip of the finger, and leaves no note."""
GONE_S: Final = 25.0
"""A camera that has seen nothing move, and no face, for so long sees nobody who waits."""
TOLD_S: Final = 12.0
"""So long the screen tells what came of a call: two languages, read twice."""


class CallState(StrEnum):
    """How a call stands, or what came of the last one."""

    NONE = "none"
    RINGING = "ringing"
    OPENED = "opened"
    GATE_FAILED = "gate-failed"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    GONE = "gone"


_ANSWERED: Final = frozenset({CallState.OPENED, CallState.GATE_FAILED, CallState.REFUSED})


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        id: 128 random bits as hex.
        state: How it stands.
        began: Seconds of the desk's clock.
        ended: Likewise, where it is over.
        reason: Why it was refused, as a code.
    """

    id: str = ""
    state: CallState = CallState.NONE
    began: float = 0.0
    ended: float = 0.0
    reason: str = ""


class CallDesk:
    """The door's call, and whoever answers it. Thread-safe.

    Args:
        entries: Where an answer is recorded.
        alarms: Where a missed call is.
        direction: Which way the door lets people through.
        connected: Whether the server can hear of a call.
        woken: Told that an entry waits for the server.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        *,
        entries: EntryLog,
        alarms: AlarmLog,
        direction: Callable[[], Direction],
        connected: Callable[[], bool],
        woken: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries = entries
        self._alarms = alarms
        self._direction = direction
        self._connected = connected
        self._woken = woken
        self._clock = clock
        self._lock = Lock()
        self._call = Call()
        self._answering = False
        self._noticed = 0.0
        self._noted = float("-inf")
        alarms.put(AlarmKind.CALL_MISSED, active=False)  # a power cut may have come before its end

    @property
    def ringing(self) -> Call | None:
        """The call that rings now."""
        call = self._call
        return call if call.state is CallState.RINGING else None

    @property
    def shown(self) -> Call:
        """What the screen tells: the call that rings, or for a while what came of the last."""
        call = self._call
        told = call.state is CallState.RINGING or self._clock() < call.ended + TOLD_S
        return call if told else Call()

    def rung_s(self, call: Call) -> float:
        """Return for how long a call has been ringing."""
        return self._clock() - call.began

    def ring(self) -> None:
        """Begin a call, unless one rings; without a link it ends at once."""
        connected = self._connected()
        with self._lock:
            if self._call.state is CallState.RINGING:
                return
            now = self._clock()
            state = CallState.RINGING if connected else CallState.UNREACHABLE
            self._call = Call(secrets.token_hex(16), state, began=now, ended=now)
            self._noticed = now
            call = self._call
        _log.info("call=%s state=%s", call.id, call.state)
        if not connected:
            self._note_missed()

    def cancel(self, call_id: str) -> None:
        """End the call at its caller's word, unless somebody is answering it."""
        with self._lock:
            call = self._call
            if call.id != call_id or call.state is not CallState.RINGING or self._answering:
                return
            self._end(CallState.CANCELLED)
        if self.rung_s(call) >= MISSED_FROM_S:
            self._note_missed()

    def notice(self) -> None:
        """Hear that somebody may be there: seen, or there is no camera that would see them."""
        self._noticed = self._clock()

    def tidy(self) -> None:
        """End a call that has rung for long enough, or whose caller has gone."""
        with self._lock:
            call = self._call
            if call.state is not CallState.RINGING or self._answering:
                return
            gone = self._clock() - self._noticed >= GONE_S
            if self.rung_s(call) < RING_S and not gone:
                return
            self._end(CallState.GONE if gone else CallState.UNANSWERED)
        self._note_missed()

    def open(self, call_id: str, opening: Callable[[], Outcome]) -> Outcome:
        """Answer a call by opening. The first answer counts; one that opens nothing is none.

        Raises:
            CallEnded: nobody rings by that name; nothing was opened.
            OpeningRefused: nothing was opened, and the call goes on ringing.
        """
        self._claim(call_id)
        state = CallState.RINGING
        try:
            outcome = opening()
            state = CallState.GATE_FAILED if outcome.gate else CallState.OPENED
        finally:
            self._settle(state)
        return outcome

    def refuse(self, refusal: CallRefused) -> None:
        """Answer a call by a refusal; whoever rings is told even where no entry can be made.

        Raises:
            CallEnded: nobody rings by that name.
        """
        self._claim(refusal.call)
        self._settle(CallState.REFUSED, refusal.reason)
        attempt = Attempt(
            granted=False,
            reason=DecisionReason.REFUSED_BY_STAFF,
            credential=Credential.NONE,
            person=None,
            direction=self._direction(),
            by=refusal.staff,
        )
        try:
            self._entries.record(attempt, refusal.entry)
        except NotRecordable:
            _log.exception("a call was refused and no entry can be made call=%s", refusal.call)
        self._woken()

    def _claim(self, call_id: str) -> None:
        with self._lock:
            call = self._call
            if call.id == call_id and (self._answering or call.state in _ANSWERED):
                raise CallEnded("somebody else has answered that call", code="call-taken")
            if call.id != call_id or call.state is not CallState.RINGING:
                raise CallEnded("nobody rings any more")
            self._answering = True

    def _settle(self, state: CallState, reason: str = "") -> None:
        with self._lock:
            self._answering = False
            if state is not CallState.RINGING:
                self._end(state, reason)

    def _end(self, state: CallState, reason: str = "") -> None:
        call = self._call
        self._call = Call(call.id, state, call.began, self._clock(), reason)
        _log.info("call=%s state=%s", call.id, state)

    def _note_missed(self) -> None:
        """Leave word for staff; whoever presses again and again leaves it once a minute."""
        with self._lock:
            now = self._clock()
            if now - self._noted < RING_S:
                return
            self._noted = now
        self._alarms.put(AlarmKind.CALL_MISSED, active=True)
        self._alarms.put(AlarmKind.CALL_MISSED, active=False)
