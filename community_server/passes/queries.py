"""Reading passes."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from community_server.passes.tables import Pass
from tier_link.estate_messages import MOST_REVOKED

REMEMBERED: Final = 30 * 24 * 3600
"""Seconds for which a changing pass that was taken back is still told apart from an unknown one."""


@dataclass(frozen=True)
class HeldPass:
    """Somebody's pass as their roster row carries it; `phone_key` is empty for a fixed one."""

    pass_id: str
    phone_key: bytes


def pass_of(session: Session, person: str) -> Pass | None:
    """Return somebody's pass that was not taken back; it may be over."""
    return session.scalar(select(Pass).where(Pass.person_id == person, Pass.revoked_at == 0))


def held_passes(session: Session, only: str | None = None) -> dict[str, HeldPass]:
    """Return the passes that roster rows carry, by person."""
    query = select(Pass.person_id, Pass.id, Pass.phone_key).where(
        Pass.person_id.is_not(None), Pass.revoked_at == 0
    )
    if only is not None:
        query = query.where(Pass.person_id == only)
    return {
        person: HeldPass(pass_id, phone_key)
        for person, pass_id, phone_key in session.execute(query)
        if person is not None
    }


def ends_of_passes(session: Session, only: Collection[str] | None = None) -> dict[str, int]:
    """Return until when people's passes hold, 0 for changing ones, by person."""
    query = select(Pass.person_id, Pass.ends).where(
        Pass.person_id.is_not(None), Pass.revoked_at == 0
    )
    if only is not None:
        query = query.where(Pass.person_id.in_(only))
    return {person: ends for person, ends in session.execute(query) if person is not None}


def bearer_of(session: Session, pass_id: str) -> str:
    """Return whose pass this is or was; empty for nobody known any more."""
    row = session.get(Pass, pass_id)
    return (row.person_id or "") if row is not None else ""


def revoked_passes(session: Session, moment: int) -> tuple[str, ...]:
    """Return the passes that doors have to refuse before their time is over, in order of id.

    Those that hold alone come first where there are too many: all others are refused anyway,
    since no roster has them.
    """
    rows = session.execute(
        select(Pass.id, Pass.alone)
        .where(
            Pass.revoked_at != 0,
            or_(Pass.ends > moment, (Pass.ends == 0) & (Pass.revoked_at > moment - REMEMBERED)),
        )
        .order_by(Pass.alone.desc(), Pass.ends.desc())
        .limit(MOST_REVOKED)
    )
    return tuple(sorted(one for one, _ in rows))


def count_alone(session: Session, moment: int) -> int:
    """Return how many passes hold alone at this time, or would but for being taken back."""
    query = select(func.count()).select_from(Pass).where(Pass.alone, Pass.ends > moment)
    return session.scalars(query).one()


def forget_passes(session: Session, moment: int) -> set[str]:
    """Delete what nobody needs any more: the passes over, and those long taken back.

    Return the people who had one.
    """
    over = (Pass.ends != 0) & (Pass.ends <= moment)
    gone = (Pass.ends == 0) & (Pass.revoked_at != 0) & (Pass.revoked_at <= moment - REMEMBERED)
    people = set(session.scalars(select(Pass.person_id).where(over, Pass.revoked_at == 0)))
    session.execute(delete(Pass).where(or_(over, gone)))
    return {person for person in people if person is not None}
