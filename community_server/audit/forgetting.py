"""Forgetting the audit log's oldest rows, so that the rest still proves itself.

The chain goes on from the head of the last row that went. The community signs that head under a
label of its own: whoever has the database alone can cut rows off, and cannot sign that they were
due. So `verify-audit` tells a log that begins later by schedule from one that was cut.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from community_server.audit.chain import sign_start
from community_server.audit.tables import AuditRow, AuditStart, SignedHead
from community_server.keys.root import root_key
from community_server.vault.safe import Safe

_ONLY: Final = 1


def find_start(session: Session) -> AuditStart | None:
    """Return what the log begins behind; None where it has its first row yet."""
    return session.get(AuditStart, _ONLY)


def forget_rows(session: Session, safe: Safe, before: int, most: int, moment: int) -> int:
    """Delete the oldest rows of before a Unix second, `most` at once, up to the first that is not.

    Return how many. `moment` is the time of the signature, in Unix seconds.
    """
    oldest: Sequence[AuditRow] = session.scalars(
        select(AuditRow).where(AuditRow.place.is_not(None)).order_by(AuditRow.place).limit(most)
    ).all()
    due = list(takewhile(lambda row: row.at < before, oldest))
    if not due:
        return 0
    last = due[-1]
    count, head, until = last.place or 0, last.head or b"", max(row.at for row in due)
    row = session.get(AuditStart, _ONLY, with_for_update=True) or AuditStart(id=_ONLY)
    row.count, row.head, row.until, row.signed_at = count, head, until, moment
    row.signature = sign_start(root_key(session, safe), count, head, until, moment)
    session.add(row)
    session.execute(delete(AuditRow).where(AuditRow.place <= count))
    session.execute(delete(SignedHead).where(SignedHead.count < count))
    session.flush()
    return len(due)
