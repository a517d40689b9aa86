"""Secrets that count once and for a short time; stored as hashes."""

import secrets
from typing import Literal

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.staff.sessions import digest
from community_server.staff.tables import StaffTicket

Purpose = Literal["password", "code"]


def issue_ticket(session: Session, staff: str, purpose: Purpose, seconds: int) -> str:
    """Issue a secret in place of an account's earlier one for the same purpose; return it."""
    moment, secret = now(), secrets.token_urlsafe(24)
    session.execute(
        delete(StaffTicket).where(
            or_(
                StaffTicket.expires_at <= moment,
                (StaffTicket.staff_id == staff) & (StaffTicket.purpose == purpose),
            )
        )
    )
    session.add(
        StaffTicket(
            token_hash=digest(secret),
            staff_id=staff,
            purpose=purpose,
            expires_at=moment + seconds,
        )
    )
    session.flush()
    return secret


def find_ticket(session: Session, secret: str, purpose: Purpose) -> StaffTicket | None:
    """Return the row of a secret that can still be used for a purpose."""
    row = session.get(StaffTicket, digest(secret))
    if row is None or row.purpose != purpose or row.expires_at <= now():
        return None
    return row
