"""Reading cards."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.cards.tables import Card
from community_server.people.particulars import owner
from community_server.vault.safe import Safe

SHOWN_DIGITS: Final = 4
"""Enough to tell one person's cards apart, too few to make one."""


@dataclass(frozen=True)
class ShownCard:
    """One card at the desk: its id, the end of its number, and since when (Unix seconds)."""

    card: str
    ends: str = field(repr=False)
    given_at: int


def held_cards(session: Session, only: str | None = None) -> dict[str, tuple[bytes, ...]]:
    """Return the cards that roster rows carry, by person, in an order of their own."""
    query = select(Card.person_id, Card.tag).order_by(Card.tag)
    if only is not None:
        query = query.where(Card.person_id == only)
    held: defaultdict[str, list[bytes]] = defaultdict(list)
    for person, tag in session.execute(query):
        held[person].append(tag)
    return {person: tuple(tags) for person, tags in held.items()}


def count_cards(session: Session, only: Collection[str] | None = None) -> dict[str, int]:
    """Return how many cards people, or some of them, have, by person."""
    query = select(Card.person_id, func.count()).group_by(Card.person_id)
    if only is not None:
        query = query.where(Card.person_id.in_(only))
    return dict(session.execute(query).all())


def cards_of(session: Session, safe: Safe, person: str) -> list[ShownCard]:
    """Return one person's cards, the oldest first."""
    rows = session.scalars(
        select(Card).where(Card.person_id == person).order_by(Card.given_at, Card.id)
    )
    return [
        ShownCard(
            card=row.id,
            ends=safe.open(session, owner(person), place(row.id), row.number).decode()[
                -SHOWN_DIGITS:
            ],
            given_at=row.given_at,
        )
        for row in rows
    ]


def place(card: str) -> str:
    """Return what a sealed number is bound to beside its person."""
    return f"card/{card}"
