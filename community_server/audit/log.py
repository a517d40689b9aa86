"""Writing what staff do, by ids; names are never written.

A row joins the chain at the end of its transaction: the chain's end is the last thing that a
transaction locks, so that writers queue up for a moment and never wait for one another in a circle.
"""

from typing import Final

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from community_server.audit.chain import head_of
from community_server.audit.tables import AuditEnd, AuditRow
from community_server.database import now

_LISTENS: Final = "audit-listens"
_ONLY: Final = 1


def audit(session: Session, staff: str, action: str, subject: str = "", detail: str = "") -> None:
    """Write one row, in the transaction of what it records.

    Args:
        session: the transaction.
        staff: id of the member of staff or the token, or of the door where a person acted for
            themselves; empty for the server itself.
        action: stable, kebab-case; the catalogues' branch `audit` has its words.
        subject: id of the person, door, enrollment or account concerned.
        detail: a code, never a name.
    """
    session.add(AuditRow(at=now(), staff_id=staff, action=action, subject=subject, detail=detail))
    if _LISTENS not in session.info:
        session.info[_LISTENS] = True
        event.listen(session, "before_commit", _join_chain)


def _join_chain(session: Session) -> None:
    if session.get_nested_transaction() is not None:
        return  # a savepoint's end: what it is part of may be undone yet
    session.flush()
    rows = session.scalars(
        select(AuditRow).where(AuditRow.place.is_(None)).order_by(AuditRow.number)
    ).all()
    if not rows:
        return
    end = session.get_one(AuditEnd, _ONLY, with_for_update=True, populate_existing=True)
    for row in rows:
        end.count += 1
        end.head = head_of(
            end.head, end.count, row.at, row.staff_id, row.action, row.subject, row.detail
        )
        row.place, row.head = end.count, end.head
    session.flush()
