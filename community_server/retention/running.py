"""Keeping the schedule: the sweeper calls this, and nobody who waits at a door waits for it.

However much is due, an estate with a million entries too: what goes, goes in transactions of a few
hundred rows, with as long a pause after each as it took, for a few seconds each sweep.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from community_server.audit.forgetting import forget_rows
from community_server.database import now
from community_server.entries.forgetting import forget_entries
from community_server.entries.looks import forget_looks
from community_server.estate import Estate
from community_server.events.service import forget_events
from community_server.messages.service import forget_messages
from community_server.retention.approvals import decline_overdue
from community_server.retention.schedule import DAY, Kind, note_run, read_schedule
from community_server.retention.words import forget_words
from community_server.services.stays import forget_old_stays
from community_server.snapshots.service import forget_snapshots
from community_server.webhooks.queue import forget_deliveries

_log = logging.getLogger(__name__)

LOOKED_EVERY_S: Final = 300.0
"""Between two looks for what is due of one kind: the shortest time that can be set is an hour."""
AUDIT_EVERY_S: Final = float(DAY)
"""Each look that finds something makes a signature; three years are a day longer."""
BATCH: Final = 200
"""Rows of one transaction: some ten milliseconds for which no other writer comes in."""
FEW: Final = 50
"""Of what has a key of its own to be destroyed."""
SHARE_S: Final = 2.0
"""Seconds that one step may take in one sweep; the rest waits for the next."""
_LONGEST_PAUSE_S: Final = 0.5

Forget = Callable[[Estate, int], int]
"""Forgets a batch of what is older than a Unix second, in a transaction; returns how many went."""


@dataclass(frozen=True)
class Step:
    """One thing to be forgotten, and how many at once."""

    kind: Kind
    forget: Forget
    most: int
    every_s: float = LOOKED_EVERY_S


def _plain(kind: Kind, forget: Callable[[Session, int, int], int]) -> Step:
    """Return a step that concerns nobody's rights: its rows go in a plain transaction."""

    def run(estate: Estate, before: int) -> int:
        with Session(estate.engine) as session, session.begin():
            return forget(session, before, BATCH)

    return Step(kind, run, BATCH)


def _snapshots(estate: Estate, before: int) -> int:
    with estate.changer.change() as change:
        return forget_snapshots(change, before, FEW)


def _approvals(estate: Estate, before: int) -> int:
    with estate.changer.change() as change:
        return decline_overdue(change, estate, before, FEW)


def _audit(estate: Estate, before: int) -> int:
    with Session(estate.engine) as session, session.begin():
        return forget_rows(session, estate.safe, before, BATCH, now())


STEPS: Final = (
    Step(Kind.SNAPSHOTS, _snapshots, FEW),
    Step(Kind.APPROVALS, _approvals, FEW),
    _plain(Kind.ENTRIES, forget_entries),
    _plain(Kind.ENTRIES, forget_old_stays),
    _plain(Kind.ENTRIES, forget_words),
    _plain(Kind.MESSAGES, forget_messages),
    _plain(Kind.EVENTS, forget_events),
    _plain(Kind.DELIVERIES, forget_deliveries),
    _plain(Kind.AUDIT, forget_looks),
    Step(Kind.AUDIT, _audit, BATCH, AUDIT_EVERY_S),
)


class Retention:
    """Forgets what is due, and remembers what it has looked for lately.

    Args:
        estate: The estate.
        clock: Seconds, steady.
        pause: Called with the seconds in which others may write.
    """

    def __init__(
        self,
        estate: Estate,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._estate = estate
        self._clock = clock
        self._pause = pause
        self._next: dict[Step, float] = {}

    def sweep(self, moment: int) -> None:
        """Forget what is due at `moment` (Unix seconds), as much as a sweep may."""
        due = [step for step in STEPS if self._next.get(step, 0.0) <= self._clock()]
        if not due:
            return
        estate = self._estate
        with estate.reading() as session:
            schedule = read_schedule(session, estate.settings)
        for step in due:
            kept = schedule[step.kind]
            forgotten = self._run(step, kept.before(moment))
            if forgotten or kept.looked_at <= moment - 3600:
                with Session(estate.engine) as session, session.begin():
                    note_run(session, step.kind, moment, forgotten)
            if forgotten:
                _log.info("kind=%s forgotten=%d reason=retention-over", step.kind, forgotten)

    def _run(self, step: Step, before: int) -> int:
        """Run a step until nothing is due any more, or its share of the sweep is used up."""
        total, end = 0, self._clock() + SHARE_S
        while True:
            began = self._clock()
            forgotten = step.forget(self._estate, before)
            total += forgotten
            if forgotten < step.most:
                self._next[step] = self._clock() + step.every_s
                return total
            if self._clock() >= end:
                return total
            self._pause(min(self._clock() - began, _LONGEST_PAUSE_S))
