"""How long to wait after wrong PINs: a pure rule, and its memory across restarts.

Times are the clock's powered seconds, which survive a restart and which nobody can set.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from door_terminal.database import PinBackoffRow
from tier_link.store import reading

_log = logging.getLogger(__name__)

DOOR: Final = ""
"""The scope of the whole door; a unit's is its `unit_key`."""
STAFF: Final = "#staff"
"""The scope of the staff's PIN that ends a fire release."""
CARDS: Final = "#cards"
"""The scope of the card reader."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many wrong PINs in a row are free, and the waits after that.

    Attributes:
        free: Mistakes without consequence.
        first_s: Wait after the next one; doubles with each further one.
        longest_s: Where the doubling ends.
    """

    free: int
    first_s: float
    longest_s: float

    def wait(self, failures: int) -> float:
        """Return seconds to wait after so many failures in a row."""
        if failures <= self.free:
            return 0.0
        return float(min(self.longest_s, self.first_s * 2.0 ** min(failures - self.free - 1, 30)))


UNIT_PATIENCE: Final = Patience(free=4, first_s=30, longest_s=3600)
"""A family may mistype; a guesser gets some 30 of a million PINs on the first day."""
DOOR_PATIENCE: Final = Patience(free=15, first_s=5, longest_s=60)
"""Slows whoever goes from unit to unit, and never keeps residents out for long."""


def patience_with(scope: str) -> Patience:
    """Return what goes for a scope."""
    return DOOR_PATIENCE if scope in {DOOR, CARDS} else UNIT_PATIENCE


class Backoff:
    """Counts wrong PINs by scope. Thread-safe as far as its caller serialises one scope."""

    def __init__(self, engine: Engine, powered_s: float) -> None:
        """Go on from what is stored, at so many powered seconds.

        After a power cut their count is behind what it was, by a minute or, with a full disk, by
        more. So a wait that was under way is at most begun anew, and none begins.
        """
        self._engine = engine
        with Session(reading(engine)) as session:
            self._rows = {
                row.scope: (
                    row.failures,
                    min(
                        row.locked_until_powered_s,
                        powered_s + patience_with(row.scope).wait(row.failures),
                    ),
                )
                for row in session.query(PinBackoffRow)
            }

    def locked_for(self, scope: str, powered_s: float) -> float:
        """Return seconds until this scope may try again; 0 when it may now."""
        _, until = self._rows.get(scope, (0, 0.0))
        return max(0.0, until - powered_s)

    def failed(self, scope: str, powered_s: float) -> None:
        """Count a failure, durably where the disk allows."""
        failures = self._rows.get(scope, (0, 0.0))[0] + 1
        until = powered_s + patience_with(scope).wait(failures)
        self._rows[scope] = (failures, until)
        row = PinBackoffRow(scope=scope, failures=failures, locked_until_powered_s=until)
        self._store(lambda session: session.merge(row))

    def succeeded(self, scope: str) -> None:
        """Forget the failures of a scope."""
        if self._rows.pop(scope, None) is None:
            return

        def forget(session: Session) -> None:
            row = session.get(PinBackoffRow, scope)
            if row is not None:
                session.delete(row)

        self._store(forget)

    def _store(self, change: Callable[[Session], object]) -> None:
        try:
            with Session(self._engine) as session, session.begin():
                change(session)
        except SQLAlchemyError as error:
            # A full disk must not keep residents out; the count goes on in memory.
            _log.warning("wrong PINs are counted in memory only: %s", type(error).__name__)
