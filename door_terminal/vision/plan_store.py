"""The plan that vision last worked with, over restarts."""

import logging

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from door_terminal.database import THE_ONLY_ROW, VisionPlanRow
from door_terminal.vision.trial import Plan
from tier_link.store import reading

_log = logging.getLogger(__name__)


def load_plan(engine: Engine) -> Plan | None:
    """Return what worked last; None when nothing did yet, or another version wrote it."""
    with Session(reading(engine)) as session:
        row = session.get(VisionPlanRow, THE_ONLY_ROW)
    if row is None:
        return None
    try:
        return msgspec.json.decode(row.body, type=Plan)
    except msgspec.DecodeError:
        _log.warning("the last plan of vision is unreadable")
        return None


def keep_plan(engine: Engine, plan: Plan) -> None:
    """Store what works; a full disk costs the way back after the next restart, nothing else."""
    try:
        with Session(engine) as session, session.begin():
            session.merge(VisionPlanRow(row=THE_ONLY_ROW, body=msgspec.json.encode(plan)))
    except SQLAlchemyError as error:
        _log.warning("the plan of vision could not be stored: %s", type(error).__name__)
