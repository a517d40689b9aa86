"""Publishing, closing and looking up invitations."""

from collections.abc import Sequence
from typing import Final, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from enrollment_cloud.invitations.tables import Invitation
from tier_kit.forms.errors import Gone, NotFound
from tier_link.relay_messages import InvitationsWithdrawn, PublishedInvitation

STANDING: Final = ("home", "poster")
"""Kinds of links that serve again and again; whoever holds one sends no photo by it."""


def publish_invitations(
    session: Session, community: str, published: Sequence[PublishedInvitation]
) -> None:
    """Open these invitations; repeating one replaces its end.

    A closed one stays closed: ids come from fresh secrets, so nobody needs one twice,
    and a server restored from yesterday's backup must not bring a used one back.
    """
    known = {
        row.id: row
        for row in session.scalars(
            select(Invitation).where(
                Invitation.community == community,
                Invitation.id.in_([invitation.id for invitation in published]),
            )
        )
    }
    for invitation in published:
        row = known.get(invitation.id)
        if row is None:
            row = Invitation(community=community, id=invitation.id)
            known[invitation.id] = row
            session.add(row)
        row.kind = invitation.kind
        row.expires_at = invitation.expires_at


def close_invitations(
    session: Session, community: str, closed: InvitationsWithdrawn, now: int
) -> None:
    """Close these invitations: used up, or called back. The first word stands."""
    session.execute(
        update(Invitation)
        .where(
            Invitation.community == community,
            Invitation.id.in_(closed.ids),
            Invitation.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now, closing=closed.why)
    )


def find_open_invitation(
    session: Session, community: str, invitation: str, now: int, *, lock: bool = False
) -> Invitation:
    """Return an invitation that may be used now.

    Args:
        session: the caller's transaction.
        community: whose invitation.
        invitation: the derived id.
        now: Unix seconds.
        lock: keep others from using it until the transaction ends.

    Raises:
        NotFound: nobody published it (`invitation-unknown`).
        Gone: `invitation-used`, `invitation-withdrawn` or `invitation-expired`.
    """
    row = session.get(Invitation, (community, invitation), with_for_update=lock or None)
    if row is None:
        raise NotFound("invitation-unknown")
    if row.withdrawn_at is not None:
        raise Gone("invitation-used") if row.closing == "used" else Gone("invitation-withdrawn")
    if row.expires_at <= now:
        raise Gone("invitation-expired")
    return row


def forget_invitations(session: Session, before: int) -> int:
    """Delete invitations that expired before `before` (Unix seconds); return how many."""
    result = session.execute(delete(Invitation).where(Invitation.expires_at < before))
    return cast("CursorResult[tuple[()]]", result).rowcount
