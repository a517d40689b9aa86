"""Ends what has lasted long enough: envelopes, replies, invitations; and scrubs the relay.

Every process runs it; all of it can be done twice without harm.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from sqlalchemy import CursorResult, Delete, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from enrollment_cloud.database import Database
from enrollment_cloud.enrollment.tables import Envelope, SealedReply
from enrollment_cloud.invitations.service import forget_invitations
from enrollment_cloud.limits import ENVELOPE_LIFETIME
from enrollment_cloud.relay import Relay
from tier_kit.forms.limits import REPLY_LIFETIME

SWEEP_SECONDS: Final = 60.0
"""An envelope outlives its 24 hours by at most this, if a process runs."""

SCRUB_SECONDS: Final = 1.0
"""How soon after a delivery its traces are removed."""

_log = logging.getLogger(__name__)


def sweep(database: Database, relay: Relay, now: int) -> None:
    """Delete everything whose time is over at `now` (Unix seconds)."""
    with database.write.begin() as session:
        relay.drop_older(session, now - int(ENVELOPE_LIFETIME.total_seconds()))
        envelopes = _run(session, delete(Envelope).where(Envelope.expires_at <= now))
        oldest = now - int(REPLY_LIFETIME.total_seconds())
        replies = _run(session, delete(SealedReply).where(SealedReply.stored_at <= oldest))
        # As long as a reply: a person who comes back late is told "expired", not "unknown".
        invitations = forget_invitations(session, oldest)
    if envelopes or replies or invitations:
        _log.info(
            "event=swept envelopes=%d replies=%d invitations=%d", envelopes, replies, invitations
        )


def _run(session: Session, statement: Delete) -> int:
    return cast("CursorResult[tuple[()]]", session.execute(statement)).rowcount


@dataclass
class Sweeper:
    """One thread that sweeps every minute, and every second runs the small `chores`."""

    database: Database
    relay: Relay
    now: Callable[[], int]
    chores: Callable[[], None]
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and scrub once more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        next_sweep = time.monotonic()
        while True:
            try:
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + SWEEP_SECONDS
                    sweep(self.database, self.relay, self.now())
                self.chores()
                self.relay.scrub()
            except SQLAlchemyError as error:
                # The database is away or busy; whatever was due is still due.
                _log.warning("event=sweep-failed type=%s", type(error).__name__)
            if self._stop.wait(SCRUB_SECONDS):
                return
