"""The estate's word that nobody is let in: kept over restarts, the newest alone counts."""

import logging
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from access_rules.lockdown import NO_LOCKDOWN, Lockdown, newest
from door_terminal.database import THE_ONLY_ROW, LockdownRow, once_ended
from tier_link.store import reading

_log = logging.getLogger(__name__)


class LockdownStore:
    """The newest word that this door has heard of the server that it is paired with. Thread-safe.

    Memory may run ahead of the disk, never behind it: a disk that takes nothing keeps no lockdown
    from working, it only costs it at the next power cut, until the server says it again.
    """

    def __init__(self, engine: Engine, server: str) -> None:
        self._engine = engine
        self._server = server
        self._lock = Lock()
        self._stored = self._load()
        self._current = self._stored

    @property
    def current(self) -> Lockdown:
        """Return the word that counts."""
        return self._current

    def take(self, session: Session, heard: Lockdown) -> None:
        """Store a word of the durable log, in the caller's transaction, if it is a newer one."""
        self._store(session, heard)
        once_ended(session, self._refresh)

    def hear(self, heard: Lockdown) -> None:
        """Take a word that comes over and over again."""
        self._raise(heard)
        if self._current <= self._stored:
            return
        try:
            with Session(self._engine) as session, session.begin():
                self._store(session, self._current)
        except SQLAlchemyError as error:
            _log.warning("a lockdown could not be stored: %s", type(error).__name__)
        else:
            self._refresh()

    def _refresh(self) -> None:
        stored = self._load()
        self._raise(stored)
        self._stored = stored

    def _raise(self, heard: Lockdown) -> None:
        with self._lock:
            if newest(self._current, heard) == self._current:
                return
            self._current = heard
        _log.warning("lockdown active=%s number=%d", heard.active, heard.number)

    def _load(self) -> Lockdown:
        with Session(reading(self._engine)) as session:
            return self._read(session)

    def _read(self, session: Session) -> Lockdown:
        row = session.get(LockdownRow, THE_ONLY_ROW)
        # Another estate counts for itself: its numbers must not outdo this one's.
        if row is None or row.server != self._server:
            return NO_LOCKDOWN
        return Lockdown(row.number, row.active)

    def _store(self, session: Session, heard: Lockdown) -> None:
        if heard > self._read(session):
            session.merge(
                LockdownRow(
                    row=THE_ONLY_ROW,
                    server=self._server,
                    number=heard.number,
                    active=heard.active,
                )
            )
            session.flush()
