"""The end of the server's audit log as this door heard of it: one that was cut off shows by it."""

import logging
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from door_terminal.database import THE_ONLY_ROW, AuditCopyRow
from tier_link.store import reading

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AuditHead:
    """How many rows the log had, and the head of the last; 0 and None before any was heard of."""

    count: int = 0
    head: bytes | None = None


class AuditCopy:
    """The longest log that the server this door is paired with has spoken of.

    A shorter one never takes its place, so a server that was put back shows, too.
    """

    def __init__(self, engine: Engine, server: str) -> None:
        self._engine = engine
        self._server = server
        self._current = self._load()

    @property
    def current(self) -> AuditHead:
        """Return the longest."""
        return self._current

    def hear(self, heard: AuditHead) -> None:
        """Take what comes over and over again, if it is longer; a full disk keeps it in memory."""
        if heard.count <= self._current.count or heard.head is None:
            return
        self._current = heard
        row = AuditCopyRow(
            row=THE_ONLY_ROW, server=self._server, count=heard.count, head=heard.head
        )
        try:
            with Session(self._engine) as session, session.begin():
                session.merge(row)
        except SQLAlchemyError as error:
            _log.warning("the audit log's head could not be stored: %s", type(error).__name__)

    def _load(self) -> AuditHead:
        with Session(reading(self._engine)) as session:
            row = session.get(AuditCopyRow, THE_ONLY_ROW)
            if row is None or row.server != self._server:
                return AuditHead()
            return AuditHead(row.count, row.head)
