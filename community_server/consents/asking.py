"""Whether somebody is being asked to consent anew."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.consents.outdated import list_outdated
from community_server.consents.tables import ConsentRound


def running_round(session: Session) -> ConsentRound | None:
    """Return the round that runs, if any."""
    return session.scalar(select(ConsentRound).where(ConsentRound.ended_at == 0))


def asked_until(session: Session, person: str) -> int:
    """Return until when somebody is asked to agree anew, 0 where they are not."""
    row = running_round(session)
    return row.ends_at if row is not None and list_outdated(session, [person]) else 0
