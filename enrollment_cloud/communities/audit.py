"""Where each community's audit log ends, as its server told: one that was cut off shows by it."""

from sqlalchemy.orm import Session

from enrollment_cloud.communities.tables import AuditHead
from tier_link.relay_messages import AuditHeadSigned


def keep_audit_head(session: Session, community: str, told: AuditHeadSigned) -> None:
    """Keep a head if it is of a longer log: a server that was put back shows, too."""
    known = session.get(AuditHead, community, with_for_update=True)
    if known is None:
        known = AuditHead(community_id=community, count=0)
        session.add(known)
    if told.count > known.count:
        known.count, known.head = told.count, told.head
        known.signed_at, known.signature = told.signed_at, told.signature
    session.flush()


def find_audit_head(session: Session, community: str) -> AuditHead | None:
    """Return the copy of a community's head; None where it has told of none."""
    return session.get(AuditHead, community)
