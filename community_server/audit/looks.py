"""Looks at a person's record, noted like changes."""

from typing import Final

from sqlalchemy import select

from community_server.audit.log import audit
from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.estate import Estate

LOOK: Final = "look"
ONCE_IN_S: Final = 600
"""Seconds in which the same eyes on the same record are one look."""


def note_look(estate: Estate, staff: str, person: str) -> None:
    """Note that somebody, or a program, looks at a person's record.

    Args:
        estate: the estate.
        staff: id of the account or token.
        person: a person who exists.
    """
    with estate.reading() as session:
        noted = session.scalar(
            select(AuditRow.number)
            .where(
                AuditRow.subject == person,
                AuditRow.staff_id == staff,
                AuditRow.action == LOOK,
                AuditRow.at > now() - ONCE_IN_S,
            )
            .limit(1)
        )
    if noted is None:
        with estate.changer.change() as change:
            audit(change.session, staff, LOOK, person)
