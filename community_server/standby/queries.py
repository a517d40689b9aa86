"""What is known of the standby."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.standby.tables import Standby

ONLY: Final = 1
"""The one row's number."""


def find_standby(session: Session) -> Standby | None:
    """Return what is known of the standby, None where none was ever admitted."""
    return session.get(Standby, ONLY)


def holds(session: Session, generation: int) -> bool:
    """Say whether the standby, if there is one, has told that it holds an erasure key."""
    row = find_standby(session)
    return row is None or not row.node or row.newest >= generation


def dismiss(session: Session) -> None:
    """Wait for no standby any more, and tell doors of none."""
    row = find_standby(session)
    if row is not None:
        audit(session, "", "standby-dismissed", row.node)
        row.node = row.address = ""


def server_addresses(session: Session) -> tuple[str, ...]:
    """Return where doors are to look for a server: this one, then the other; none without one."""
    row = session.execute(select(Standby.serving_address, Standby.address)).one_or_none()
    return tuple(one for one in row if one) if row is not None else ()
