"""Slowing down who guesses: each failure doubles the wait, by name, by address and by browser.

Failures are stored, so that a restart forgives nobody. Keys are kept as keyed hashes: what somebody
typed for a name may be a password.
"""

import hmac
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from community_server.errors import TooManyAttempts
from community_server.staff.tables import FailedAttempts
from tier_link.store import reading

FREE_ATTEMPTS: Final = 4
"""Slips of the finger that cost nothing."""
FIRST_WAIT: Final = 2
LONGEST_WAIT: Final = 900
"""Seconds: longer would let a stranger lock the desk out."""
FORGOTTEN_AFTER: Final = 24 * 3600
"""Seconds without another failure after which the earlier ones count no more."""
MOST_KEYS: Final = 10_000
"""Keys remembered; the oldest are forgotten first."""


@dataclass(frozen=True)
class Backoff:
    """Counts failures by key; safe to use from any thread."""

    engine: Engine
    key: bytes = field(repr=False)
    clock: Callable[[], float] = time.time
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self, *keys: str) -> None:
        """Let an attempt pass, or not yet.

        Raises:
            TooManyAttempts: with the seconds to wait.
        """
        moment = self.clock()
        with Session(reading(self.engine)) as session:
            until = session.scalar(
                select(func.max(FailedAttempts.wait_until)).where(
                    FailedAttempts.key_hash.in_([self._hash(key) for key in keys])
                )
            )
        # A clock that was set back makes nobody wait for longer than ever.
        wait = min((until or 0) - moment, LONGEST_WAIT)
        if wait > 0:
            raise TooManyAttempts(wait)

    def fail(self, *keys: str) -> None:
        """Note a failed attempt."""
        moment = math.ceil(self.clock())
        with self._lock, Session(self.engine) as session, session.begin():
            for key in keys:
                row = session.get(FailedAttempts, self._hash(key))
                if row is None:
                    row = FailedAttempts(key_hash=self._hash(key), failures=0)
                    session.add(row)
                elif row.failed_at + FORGOTTEN_AFTER <= moment:
                    row.failures = 0
                row.failures += 1
                wait = _wait(row.failures)
                row.failed_at, row.wait_until = moment, moment + wait if wait else 0
            session.flush()
            self._forget_oldest(session)

    def succeed(self, *keys: str) -> None:
        """Forget the failures."""
        hashes = [self._hash(key) for key in keys]
        wanted = FailedAttempts.key_hash.in_(hashes)
        with Session(reading(self.engine)) as session:
            known = session.scalar(select(FailedAttempts.key_hash).where(wanted).limit(1))
        if known is None:
            return
        with self._lock, Session(self.engine) as session, session.begin():
            session.execute(delete(FailedAttempts).where(wanted))

    def _forget_oldest(self, session: Session) -> None:
        beyond = (session.scalar(select(func.count()).select_from(FailedAttempts)) or 0) - MOST_KEYS
        if beyond > 0:
            oldest = select(FailedAttempts.key_hash).order_by(FailedAttempts.failed_at)
            hashes = session.scalars(oldest.limit(beyond)).all()
            session.execute(delete(FailedAttempts).where(FailedAttempts.key_hash.in_(hashes)))

    def _hash(self, key: str) -> bytes:
        return hmac.digest(self.key, key.encode(), "sha256")


def _wait(failures: int) -> int:
    beyond = failures - FREE_ATTEMPTS
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(beyond - 1, 20)) if beyond > 0 else 0
