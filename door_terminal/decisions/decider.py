"""Decide, record, open: in this order, once for each attempt.

The entry is durable before the gate is asked, and the gate is asked once, at once. Losing power in
between leaves an entry without an opening; no restart ever makes up for it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from access_rules.alarms import EntryRemark
from access_rules.decision import Decision, DecisionReason, Denied, Granted, Shown, decide
from access_rules.people import Credential, Direction
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.entries import Attempt, EntryLog
from door_terminal.errors import GateFailed, NotRecordable, OpeningRefused
from door_terminal.gate import Gate, Opening

_log = logging.getLogger(__name__)

SECOND_CREDENTIAL_S: Final = 30.0
"""How long a first credential waits for the second: time to type a PIN with gloves on."""

LATEST_NS: Final = 8_000_000_000
"""From what was seen or typed to the decision: a silent server and a slow encoding fit in. Whoever
is granted later may have left, and the gate would open for whoever stands there now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        entry: Id of the recorded entry; empty when it could not be recorded.
        granted: Whether the door was to open.
        reason: Why, or why not.
        credential: The newest one shown.
        gate: Empty, or the code of what kept the gate from opening.
        needed_ns: `time.monotonic_ns()` of the last needed frame or key.
        decided_ns: When the decision stood.
        recorded_ns: When its entry was durable.
        released_ns: When the gate had answered; 0 when it was not asked.
        person: Whom it names; empty for nobody.
        first: The same person's other credential, shown a moment before; None for none.
        at: The entry's effective time in Unix milliseconds; 0 when unknown.
    """

    entry: str
    granted: bool
    reason: DecisionReason
    credential: Credential
    gate: str = ""
    needed_ns: int = 0
    decided_ns: int = 0
    recorded_ns: int = 0
    released_ns: int = 0
    person: str = ""
    first: Credential | None = None
    at: int = 0


class Decider:
    """The one way to the gate. Thread-safe: attempts are recorded one after the other."""

    def __init__(
        self,
        *,
        configuration: Callable[[], Configuration | None],
        clock: EffectiveClock,
        entries: EntryLog,
        gate: Gate,
        publish: Callable[[Outcome], None],
        locked_down: Callable[[], bool] = lambda: False,
        key_here: Callable[[], bool] = lambda: True,
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._entries = entries
        self._gate = gate
        self._publish = publish
        self._locked_down = locked_down
        self._key_here = key_here
        self._lock = Lock()
        self._first_shown: dict[str, tuple[Shown, float]] = {}

    def attempt(
        self, shown: Shown, *, needed_ns: int, matched: str = "", frames: int = 0
    ) -> Outcome:
        """Take one credential to its end.

        Args:
            shown: What was shown and whom it names.
            needed_ns: When the last thing needed for it was seen or typed.
            matched: Where a face was matched.
            frames: Good frames behind it.
        """
        configuration = self._configuration()
        with self._lock:
            together = (*self._earlier(shown, time.monotonic()), shown)
            decision = self._decide(together, configuration)
            decided_ns = time.monotonic_ns()
            if isinstance(decision, Granted):
                decision = self._last_doubts(decision, together, decided_ns - needed_ns)
            outcome = Outcome(
                entry="",
                granted=isinstance(decision, Granted),
                reason=decision.reason,
                credential=shown.credential,
                needed_ns=needed_ns,
                decided_ns=decided_ns,
                person=shown.person.person if shown.person else "",
                first=_first(together),
            )
            outcome = self._record(outcome, together, configuration, matched, frames)
        if outcome.granted and configuration is not None:
            outcome = self._open(outcome, configuration.wire.gate_open_s)
        self._publish(outcome)
        return outcome

    def open_for(self, staff: str, entry: str, *, fresh: Callable[[], bool]) -> Outcome:
        """Record and open at the word of a member of staff, whatever the rules are.

        Args:
            staff: Their id.
            entry: The id that the entry is to have.
            fresh: Whether the order still counts; asked when its turn has come, and once recorded.

        An order that has lapsed once its entry is made opens nothing, and the entry is marked so.

        Raises:
            OpeningRefused: it has lapsed, the door is not configured, or nothing can be recorded.
        """
        needed_ns = time.monotonic_ns()
        configuration = self._configuration()
        if configuration is None:
            raise OpeningRefused("this door is not configured yet", code="not-configured")
        with self._lock:
            if not fresh():
                raise OpeningRefused("that order came too late", code="opening-lapsed")
            decided_ns = time.monotonic_ns()
            attempt = Attempt(
                granted=True,
                reason=DecisionReason.OPENED_REMOTELY,
                credential=Credential.NONE,
                person=None,
                direction=configuration.rules.direction,
                took_ms=(decided_ns - needed_ns) / 1e6,
                by=staff,
            )
            try:
                self._entries.record(attempt, entry)
            except NotRecordable as full:
                raise OpeningRefused(str(full), code=full.code) from full
            if not fresh():  # a slow disk took the time that was left
                self._entries.remark(entry, EntryRemark.NOT_PASSED)
                raise OpeningRefused("recorded too late to open", code="opening-lapsed")
        outcome = Outcome(
            entry=entry,
            granted=True,
            reason=attempt.reason,
            credential=attempt.credential,
            needed_ns=needed_ns,
            decided_ns=decided_ns,
            recorded_ns=time.monotonic_ns(),
        )
        outcome = self._open(outcome, configuration.wire.gate_open_s)
        self._publish(outcome)
        return outcome

    def _decide(self, together: tuple[Shown, ...], configuration: Configuration | None) -> Decision:
        shown = together[-1]
        if not self._key_here():
            return Denied(DecisionReason.KEY_AWAITED)
        if configuration is None:
            return Denied(shown.problem or DecisionReason.MATCHING_UNAVAILABLE)
        rules, now = configuration.rules, time.monotonic()
        if self._locked_down():
            rules = replace(rules, locked_down=True)
        decision = decide(together, rules, self._clock.moment(), rules.direction)
        if shown.person is not None:
            if decision.reason is DecisionReason.SECOND_CREDENTIAL_NEEDED:
                self._first_shown[shown.person.person] = (shown, now)
            else:
                self._first_shown.pop(shown.person.person, None)
        return decision

    def _last_doubts(
        self, decision: Granted, together: tuple[Shown, ...], took_ns: int
    ) -> Decision:
        """Refuse after all what comes too late, or a pass that has nothing left."""
        if took_ns > LATEST_NS:
            return Denied(DecisionReason.TOO_LATE)
        # Under the lock under which it is counted, or one use could open twice.
        if not all(self._entries.pass_uses.allows(one.use) for one in together if one.use):
            return Denied(DecisionReason.PASS_USED_UP)
        return decision

    def _earlier(self, shown: Shown, now: float) -> tuple[Shown, ...]:
        """Return the same person's other credential, shown a moment ago.

        Of two of one kind the newer alone counts: whoever was not known to be live and steps up
        again is judged by what was seen now.
        """
        self._first_shown = {
            person: (one, at)
            for person, (one, at) in self._first_shown.items()
            if now - at <= SECOND_CREDENTIAL_S
        }
        if shown.person is None or shown.person.person not in self._first_shown:
            return ()
        first, _ = self._first_shown[shown.person.person]
        return () if first.credential is shown.credential else (first,)

    def _record(
        self,
        outcome: Outcome,
        together: tuple[Shown, ...],
        configuration: Configuration | None,
        matched: str,
        frames: int,
    ) -> Outcome:
        shown = together[-1]
        attempt = Attempt(
            granted=outcome.granted,
            reason=outcome.reason,
            credential=shown.credential,
            person=shown.person,
            direction=configuration.rules.direction if configuration else Direction.BOTH,
            matched=matched,
            took_ms=(outcome.decided_ns - outcome.needed_ns) / 1e6,
            frames=frames,
            liveness=shown.liveness,
            first=outcome.first,
            use=next((one.use for one in together if one.use), None),
        )
        try:
            recorded = self._entries.record(attempt)
        except NotRecordable:
            _log.exception("an entry cannot be recorded; the door stays shut")
            return replace(outcome, granted=False, reason=DecisionReason.NOT_RECORDABLE)
        recorded_ns = time.monotonic_ns()
        return replace(outcome, entry=recorded.entry, at=recorded.at, recorded_ns=recorded_ns)

    def _open(self, outcome: Outcome, seconds: float) -> Outcome:
        try:
            self._gate.open(Opening(outcome.entry, seconds))
        except GateFailed as failed:
            _log.warning("gate failed code=%s entry=%s", failed.code, outcome.entry)
            outcome = replace(outcome, gate=failed.code)
        return replace(outcome, released_ns=time.monotonic_ns())


def _first(together: tuple[Shown, ...]) -> Credential | None:
    """Return the credential that another one of the same person followed."""
    first, last = together[0].credential, together[-1].credential
    return first if first is not last else None
