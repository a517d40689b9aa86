"""Whether this estate may use faces: not before somebody has signed an impact assessment."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.privacy.tables import Assessment
from community_server.setup.community import find_community


def faces_are_on(session: Session) -> bool:
    """Say whether a face may be encoded and stored."""
    if has_signature(session):
        return True
    community = find_community(session)
    return community is not None and community.faces_unsigned


def has_signature(session: Session) -> bool:
    """Say whether an impact assessment was ever signed; one for another configuration counts."""
    return session.scalar(select(Assessment.number).limit(1)) is not None
