"""Signing the chain's end now and then, so that a log made anew does not pass for the old one."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.chain import sign_head
from community_server.audit.tables import AuditEnd, SignedHead
from community_server.keys.root import root_key
from community_server.vault.safe import Safe

SIGN_EVERY: Final = 3600
"""Seconds between two signed heads, while rows come."""


def head_is_due(session: Session, moment: int) -> bool:
    """Say whether rows have come since the last signed head, and it is an hour old."""
    newest = newest_head(session)
    end = session.scalars(select(AuditEnd)).one()
    if newest is None:
        return end.count > 0
    return end.count > newest.count and newest.signed_at + SIGN_EVERY <= moment


def sign_end(session: Session, safe: Safe, moment: int) -> None:
    """Sign the chain's end."""
    end = session.scalars(select(AuditEnd).with_for_update()).one()
    signature = sign_head(root_key(session, safe), end.count, end.head, moment)
    session.add(SignedHead(count=end.count, head=end.head, signed_at=moment, signature=signature))


def newest_head(session: Session) -> SignedHead | None:
    """Return the head that was signed last."""
    return session.scalars(select(SignedHead).order_by(SignedHead.count.desc()).limit(1)).first()
