"""What this door calls for help about, until its cause is gone.

Raised and cleared each in one transaction with the message that reports it. A disk that cannot
take that keeps nothing from being done at the door: what is unsaved waits in memory.
"""

import logging
import secrets
from collections.abc import Callable
from threading import Lock
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from door_terminal.clock import EffectiveClock
from door_terminal.database import AlarmRow
from tier_link.estate_messages import ESTATE, AlarmChanged
from tier_link.store import LinkStore, reading

_log = logging.getLogger(__name__)

MOST_UNSAVED: Final = 200
"""Changes that wait in memory for a disk; beyond it the oldest alarms that are over go first."""


class AlarmLog:
    """The alarms of one door, for one server. Thread-safe."""

    def __init__(
        self,
        engine: Engine,
        store: LinkStore,
        server: str,
        clock: EffectiveClock,
        wake: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._store = store
        self._server = server
        self._clock = clock
        self._wake = wake
        self._lock = Lock()
        self._unsaved: list[AlarmChanged] = []
        with Session(reading(engine)) as session:
            self._active = {row.kind: row.alarm for row in session.scalars(select(AlarmRow))}

    def active(self) -> dict[str, str]:
        """Return the alarms that are active: id by kind."""
        with self._lock:
            return dict(self._active)

    def find(self, kind: AlarmKind) -> str:
        """Return the id of the active alarm of a kind; empty when there is none."""
        with self._lock:
            return self._active.get(kind, "")

    def put(self, kind: AlarmKind, *, active: bool, alarm: str = "", by: str = "") -> bool:
        """Raise or clear an alarm; say whether that changed anything.

        Args:
            kind: Which.
            active: Whether its cause is there.
            alarm: The id of one to be raised; empty draws one.
            by: Id of the member of staff whose word clears it.
        """
        with self._lock:
            if (kind in self._active) is active:
                return False
            if active:
                self._active[kind] = alarm or secrets.token_hex(16)
                name = self._active[kind]
            else:
                name = self._active.pop(kind)
            at = self._clock.milliseconds()
            self._unsaved.append(
                AlarmChanged(name, kind.value, active, at or 0, at is not None, by)
            )
            _log.warning("alarm kind=%s active=%s alarm=%s", kind.value, active, name)
            self._save()
            return True

    def save(self) -> None:
        """Store what the disk did not take when it happened."""
        with self._lock:
            self._save()

    def _save(self) -> None:
        if not self._unsaved:
            return
        try:
            with Session(self._engine) as session, session.begin():
                for message in self._unsaved:
                    self._write(session, message)
        except SQLAlchemyError as error:
            _log.warning("alarms wait for the disk: %s", type(error).__name__)
            self._bound()
        else:
            self._unsaved.clear()
            self._wake()

    def _write(self, session: Session, message: AlarmChanged) -> None:
        self._store.put(session, self._server, ESTATE.kind(message), ESTATE.encode(message))
        if message.active:
            session.merge(AlarmRow(kind=message.kind, alarm=message.alarm))
        elif (row := session.get(AlarmRow, message.kind)) is not None:
            session.delete(row)
        session.flush()

    def _bound(self) -> None:
        """Drop the oldest alarms of which the disk knows neither beginning nor end."""
        begun = [one.alarm for one in self._unsaved if one.active]
        ended = {one.alarm for one in self._unsaved if not one.active}
        whole = [alarm for alarm in begun if alarm in ended]
        dropped = set(whole[: max(0, len(self._unsaved) - MOST_UNSAVED + 1) // 2])
        self._unsaved = [one for one in self._unsaved if one.alarm not in dropped]
