"""Which communities are linked, as all processes know together."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from enrollment_cloud.communities.tables import CommunityLink

NOTED_EVERY_S: Final = 30.0
"""Seconds between two notes that links are up: thousands of them are one statement."""
LINKED_WITHIN_S: Final = 75
"""A link counts as up for two notes and a little."""


def note_links(session: Session, communities: Sequence[str], now: int) -> None:
    """Note that these communities' links are up at `now` (Unix seconds)."""
    if not communities:
        return
    insert: Any = (
        postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    )
    # In one order everywhere, so that processes never wait for each other in a circle.
    rows = [{"community_id": one, "seen_at": now} for one in sorted(communities)]
    session.execute(
        insert(CommunityLink).on_conflict_do_update(
            index_elements=[CommunityLink.community_id], set_={"seen_at": now}
        ),
        rows,
    )
