"""Reading invitations."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.invitations.tables import Invitation


def open_invitations(session: Session, people: Collection[str]) -> Sequence[Invitation]:
    """Return some people's links that were neither used nor withdrawn; they may have run out."""
    return session.scalars(
        select(Invitation).where(Invitation.person_id.in_(people), Invitation.state == "open")
    ).all()


def known_to_cloud(rows: Collection[Invitation]) -> list[str]:
    """Return the ids of those invitations that the cloud was told of."""
    return [row.id for row in rows if row.origin == "cloud"]


def ends_of_invitations(session: Session, only: Collection[str] | None = None) -> dict[str, int]:
    """Return, for each person (or of some) with an open link, until when (Unix seconds) it serves.

    That may be over: then the person did not enroll in time.
    """
    ends = (
        select(Invitation.person_id, func.max(Invitation.expires_at))
        .where(Invitation.state == "open")
        .group_by(Invitation.person_id)
    )
    if only is not None:
        ends = ends.where(Invitation.person_id.in_(only))
    return dict(session.execute(ends).all())
