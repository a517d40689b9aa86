"""How many people were known by face, month by month: numbers that name nobody."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.people.tables import FaceMonth, Template

MONTHS: Final = 12
"""That are looked back, the present one among them."""


def count_new_face(session: Session) -> None:
    """Count somebody who gets a face and had none, before it is stored, in its transaction."""
    begin_month(session).added += 1


def begin_month(session: Session) -> FaceMonth:
    """Return this month's row (UTC), made now with how many faces are held."""
    month = _month(now())
    row = session.get(FaceMonth, month, with_for_update=True)
    if row is None:
        row = FaceMonth(month=month, held=faces_held(session), added=0)
        session.add(row)
        session.flush()
    return row


def faces_held(session: Session) -> int:
    """Return how many people are known by face now."""
    return session.scalars(select(func.count()).select_from(Template)).one()


def faces_in_a_year(session: Session) -> int:
    """Return how many people at most were known by face at some time of the last twelve months.

    Those held when the first of these months began, and all who came since; whoever was erased and
    enrolled again counts twice, since nothing is kept by which they could be known again.
    """
    year, month = divmod(int(_month(now())[:4]) * 12 + int(_month(now())[5:]) - MONTHS, 12)
    first = f"{year:04}-{month + 1:02}"
    query = select(FaceMonth).where(FaceMonth.month >= first).order_by(FaceMonth.month)
    rows = session.scalars(query).all()
    ever = rows[0].held + sum(row.added for row in rows) if rows else 0
    return max(ever, faces_held(session))


def _month(unix: int) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m}"
