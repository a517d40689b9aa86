"""The audit log: who did what to whom, by ids; names are never written."""

from sqlalchemy.orm import Session

from community_server.database import now
from community_server.staff.tables import AuditRow


def audit(session: Session, staff: str, action: str, subject: str = "", detail: str = "") -> None:
    """Write one row, in the transaction of what it records.

    Args:
        session: the transaction.
        staff: id of the member of staff, or of the door where a person acted for themselves.
        action: stable, kebab-case.
        subject: id of the person, door or enrollment concerned.
        detail: a code, never a name.
    """
    session.add(AuditRow(at=now(), staff_id=staff, action=action, subject=subject, detail=detail))
