"""What an operator sees: their communities, how they are linked, and what waits for them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from enrollment_cloud.communities.presence import LINKED_WITHIN_S
from enrollment_cloud.communities.tables import Community, CommunityLink
from enrollment_cloud.enrollment.tables import Envelope
from enrollment_cloud.operators.tables import GroupCommunity, PropertyGroup

PAGE_SIZE: Final = 50
"""Communities on one page."""

_DAY: Final = 24 * 3600


@dataclass(frozen=True)
class Seen:
    """One community. Times are Unix seconds, None for never.

    `waiting` counts envelopes that its server has not collected, `waiting_since` is of the oldest;
    `taken` counts those of the last 24 hours.
    """

    id: str
    name: str
    group: str | None
    state: str
    linked: bool
    seen_at: int | None
    waiting: int
    waiting_since: int | None
    taken: int


def see_communities(
    session: Session, group: str | None, now: int, *, find: str = "", after: str = ""
) -> list[Seen]:
    """Return up to `PAGE_SIZE` communities by id: those of a group, or with None all.

    Args:
        session: the caller's transaction.
        group: whose.
        now: Unix seconds.
        find: part of a name or an id; empty for all.
        after: the id behind which to begin.
    """
    query = (
        select(Community, PropertyGroup.name, CommunityLink.seen_at)
        .outerjoin(GroupCommunity, GroupCommunity.community_id == Community.id)
        .outerjoin(PropertyGroup, PropertyGroup.id == GroupCommunity.group_id)
        .outerjoin(CommunityLink, CommunityLink.community_id == Community.id)
        .where(_is_of(group))
    )
    if find:
        query = query.where(
            or_(
                Community.name.icontains(find, autoescape=True),
                Community.id.contains(find, autoescape=True),
            )
        )
    rows = session.execute(
        query.where(Community.id > after).order_by(Community.id).limit(PAGE_SIZE)
    ).all()
    counted = _counts(session, [community.id for community, _, _ in rows], now)
    return [
        Seen(
            community.id,
            community.name,
            owner,
            state_of(community),
            (seen_at or 0) > now - LINKED_WITHIN_S,
            seen_at,
            *counted.get(community.id, (0, None, 0)),
        )
        for community, owner, seen_at in rows
    ]


def owns(session: Session, group: str | None, community: str) -> bool:
    """Say whether a community is among those that a group's staff, or the provider's, manage."""
    row = (
        select(Community.id)
        .outerjoin(GroupCommunity, GroupCommunity.community_id == Community.id)
        .where(Community.id == community, _is_of(group))
    )
    return session.scalar(row) is not None


def state_of(community: Community) -> str:
    """Return `revoked`, `paired` or `unpaired`."""
    if community.revoked_at is not None:
        return "revoked"
    return "unpaired" if community.paired_at is None else "paired"


def _is_of(group: str | None) -> ColumnElement[bool]:
    return true() if group is None else GroupCommunity.group_id == group


def _counts(
    session: Session, communities: list[str], now: int
) -> dict[str, tuple[int, int | None, int]]:
    waits = Envelope.collected_at.is_(None) & (Envelope.expires_at > now)
    rows = session.execute(
        select(
            Envelope.community,
            func.count().filter(waits),
            func.min(Envelope.received_at).filter(waits),
            func.count().filter(Envelope.received_at > now - _DAY),
        )
        .where(Envelope.community.in_(communities))
        .group_by(Envelope.community)
    )
    return {community: (waiting, since, taken) for community, waiting, since, taken in rows}
