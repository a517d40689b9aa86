"""How often each pass has opened this door: counted with the entry, never after it.

A use and its entry are one transaction, before the gate is asked. Where the database cannot take
the entry, the one in the reserve stands for both: it is read at every start and brought in later.
"""

import logging
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Engine, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from access_rules.decision import PassUse
from door_terminal.database import PassUseRow
from tier_link.estate_messages import EntryRecorded
from tier_link.passes import LONGEST_S
from tier_link.store import reading

_log = logging.getLogger(__name__)

_KEEP_S: Final = LONGEST_S + 7 * 24 * 3600
"""A count outlives every pass it may be about, by a week for a server's clock that was wrong."""


class PassUses:
    """The counts in memory, as the disk has them. Its caller serialises `allows` and `note`."""

    def __init__(self, engine: Engine, waiting: Iterable[EntryRecorded] = ()) -> None:
        """Read the counts; `waiting` are entries that the database does not hold yet."""
        self._engine = engine
        with Session(reading(engine)) as session:
            self._counts = {row.pass_id: (row.uses, row.step) for row in session.query(PassUseRow)}
        for message in waiting:
            self.note(message)

    def allows(self, use: PassUse) -> bool:
        """Say whether a pass may open this door once more."""
        uses, step = self._counts.get(use.pass_id, (0, 0))
        return (use.uses == 0 or uses < use.uses) and (use.step == 0 or use.step > step)

    def note(self, message: EntryRecorded) -> None:
        """Take in an entry that is durable."""
        if _counts(message):
            uses, step = self._counts.get(message.pass_id, (0, 0))
            self._counts[message.pass_id] = (uses + 1, max(step, message.pass_step))

    def prune(self, floor: int) -> None:
        """Forget counts of passes that ended long before `floor` (Unix seconds)."""
        try:
            with Session(self._engine) as session, session.begin():
                session.execute(delete(PassUseRow).where(PassUseRow.noted_at < floor - _KEEP_S))
        except SQLAlchemyError as error:
            _log.warning("old counts of passes stay: %s", type(error).__name__)


def store_use(session: Session, message: EntryRecorded) -> None:
    """Count an entry's pass in the entry's own transaction."""
    if not _counts(message):
        return
    row = session.get(PassUseRow, message.pass_id)
    if row is None:
        row = PassUseRow(pass_id=message.pass_id, uses=0, step=0, noted_at=0)
        session.add(row)
    row.uses += 1
    row.step = max(row.step, message.pass_step)
    row.noted_at = max(row.noted_at, message.at // 1000)


def _counts(message: EntryRecorded) -> bool:
    return message.granted and bool(message.pass_id)
