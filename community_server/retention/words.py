"""Forgetting what staff wrote, and of whom: what happened and who of staff did it stays counted.

Daily reports of days gone by count openings and alarms, so their rows stay; they name nobody of
those who live here or come.
"""

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from community_server.alarms.tables import Alarm
from community_server.lockdown.tables import Declaration
from community_server.openings.tables import Opening


def forget_words(session: Session, before: int, most: int) -> int:
    """Empty the notes of before a Unix second, `most` of each sort at once; return how many.

    What goes on, an alarm or a lockdown, keeps its words until it is over.
    """
    newest = select(func.max(Declaration.number)).scalar_subquery()
    openings = session.scalars(
        select(Opening.entry)
        .where(Opening.asked_at < before, Opening.note.is_not(None))
        .limit(most)
    ).all()
    alarms = session.scalars(
        select(Alarm.alarm)
        .where(
            Alarm.raised_at < before * 1000,
            Alarm.cleared_at != 0,
            or_(Alarm.note.is_not(None), Alarm.subject != ""),
        )
        .limit(most)
    ).all()
    declarations = session.scalars(
        select(Declaration.number)
        .where(
            Declaration.at < before,
            Declaration.reason.is_not(None),
            Declaration.number != newest,
        )
        .limit(most)
    ).all()
    for emptied in (
        update(Opening).where(Opening.entry.in_(openings)).values(note=None),
        update(Alarm).where(Alarm.alarm.in_(alarms)).values(note=None, subject=""),
        update(Declaration).where(Declaration.number.in_(declarations)).values(reason=None),
    ):
        session.execute(emptied)
    return max(len(openings), len(alarms), len(declarations))
