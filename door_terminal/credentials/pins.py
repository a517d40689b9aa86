"""PIN and unit: the way in beside the face."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

import argon2

from access_rules.decision import DecisionReason
from door_terminal.clock import EffectiveClock
from door_terminal.credentials.backoff import DOOR, STAFF, Backoff
from door_terminal.roster import RosterBook, unit_key
from tier_link.estate_messages import RosterPerson

_log = logging.getLogger(__name__)

MAX_PIN_LENGTH: Final = 16
MAX_UNIT_LENGTH: Final = 32
NOBODYS_HASH: Final = (
    "$argon2id$v=19$m=19456,t=3,p=1"
    "$Y//RWYvi9ab3cigJj4aRPQ$wbHs9rhDZ4VvCo1/L37zus3G3IB8v4fYgHcLcoD4Pc8"
)
"""Random bytes in the form of a hash that the server makes, checked where there is nothing to
check: no PIN fits it, and the time taken does not tell which units have PINs."""


@dataclass(frozen=True, slots=True)
class PinCheck:
    """Who entered the PIN, or why that is not known.

    Attributes:
        person: The one it belongs to.
        problem: With `person` None: wrong, or not to be tried now.
        wait_s: Seconds until the next try is looked at.
    """

    person: RosterPerson | None
    problem: DecisionReason | None = None
    wait_s: float = 0.0


class PinChecker:
    """Checks one PIN at a time, on the caller's thread: argon2id is meant to take its time."""

    def __init__(
        self, book: Callable[[], RosterBook], backoff: Backoff, clock: EffectiveClock
    ) -> None:
        self._book = book
        self._backoff = backoff
        self._clock = clock
        self._hasher = argon2.PasswordHasher()
        self._lock = Lock()

    def check(self, unit: str, pin: str) -> PinCheck:
        """Say whose PIN this is.

        A try is counted as wrong before it is looked at and forgiven when it was right, so that
        cutting the power in between gives no free tries.
        """
        scope = unit_key(unit)[:MAX_UNIT_LENGTH]
        with self._lock:
            now = self._clock.powered_s()
            wait = max(self._backoff.locked_for(one, now) for one in (DOOR, scope))
            if wait > 0:
                return PinCheck(None, DecisionReason.PIN_LOCKED, wait)
            # Only units that exist are counted one by one: others would fill the memory.
            candidates = self._book().in_unit(unit)
            self._backoff.failed(DOOR, now)
            if candidates:
                self._backoff.failed(scope, now)
            found = next((one for one in candidates if self._matches(one.pin, pin)), None)
            if not candidates:
                self._matches(NOBODYS_HASH, pin)
            if found is None:
                wait = max(self._backoff.locked_for(one, now) for one in (DOOR, scope))
                return PinCheck(None, DecisionReason.PIN_WRONG, wait)
            self._backoff.succeeded(DOOR)
            self._backoff.succeeded(scope)
            return PinCheck(found)

    def check_staff(self, pin: str, stored: str) -> PinCheck:
        """Say whether this is the staff's PIN; `problem` is None when it is.

        Args:
            pin: What was entered.
            stored: Its argon2id hash; empty when none was issued, and then no PIN fits.
        """
        with self._lock:
            now = self._clock.powered_s()
            wait = max(self._backoff.locked_for(one, now) for one in (DOOR, STAFF))
            if wait > 0:
                return PinCheck(None, DecisionReason.PIN_LOCKED, wait)
            self._backoff.failed(DOOR, now)
            self._backoff.failed(STAFF, now)
            if self._matches(stored or NOBODYS_HASH, pin):
                self._backoff.succeeded(DOOR)
                self._backoff.succeeded(STAFF)
                return PinCheck(None)
            return PinCheck(None, DecisionReason.PIN_WRONG, self._backoff.locked_for(STAFF, now))

    def _matches(self, stored: str, pin: str) -> bool:
        if len(pin) > MAX_PIN_LENGTH:
            return False
        try:
            return self._hasher.verify(stored, pin)
        except argon2.exceptions.VerifyMismatchError:
            return False
        except (argon2.exceptions.InvalidHashError, argon2.exceptions.VerificationError):
            _log.exception("a PIN hash of the roster is unusable")
            return False
