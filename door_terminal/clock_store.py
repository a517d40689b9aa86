"""Keeping the clock's record in the door's database."""

from dataclasses import asdict, fields

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from door_terminal.clock import ClockRecord
from door_terminal.database import THE_ONLY_ROW, ClockRow
from tier_link.store import reading


def load_clock(engine: Engine) -> ClockRecord:
    """Return what was stored; an empty record at the first start."""
    with Session(reading(engine)) as session:
        row = session.get(ClockRow, THE_ONLY_ROW)
    if row is None:
        return ClockRecord()
    return ClockRecord(**{one.name: getattr(row, one.name) for one in fields(ClockRecord)})


def save_clock(engine: Engine, record: ClockRecord) -> None:
    """Store a record."""
    with Session(engine) as session, session.begin():
        session.merge(ClockRow(row=THE_ONLY_ROW, **asdict(record)))
