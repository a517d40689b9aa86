"""The community this server serves."""

from sqlalchemy.orm import Session

from community_server.errors import NotSetUp
from community_server.setup.tables import Community

_ONLY = 1


def find_community(session: Session) -> Community | None:
    """Return the community, None before set-up."""
    return session.get(Community, _ONLY)


def get_community(session: Session) -> Community:
    """Return the community.

    Raises:
        NotSetUp: set-up has not been done.
    """
    community = find_community(session)
    if community is None:
        raise NotSetUp("this server has not been set up yet")
    return community
