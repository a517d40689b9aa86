"""Reading erasures and what has become of the doors."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.doors.tables import Door
from community_server.errors import NotFound
from community_server.receipts.tables import Erasure, ErasureDoor


@dataclass(frozen=True)
class HeardDoor:
    """One door that held what was erased; `at` is since when, Unix seconds, 0 while waiting."""

    door: str
    name: str
    state: str
    at: int


@dataclass(frozen=True)
class ShownErasure:
    """One erasure; `settled_at` is 0 while a door is waited for, or the sweep has yet to come."""

    erasure: str
    person: str
    kept: str
    category: str
    begun_at: int
    settled_at: int
    doors: tuple[HeardDoor, ...]


def list_erasures(session: Session, limit: int, person: str = "") -> list[ShownErasure]:
    """Return the newest erasures, or one person's; those that are not complete first."""
    query = select(Erasure).order_by(Erasure.settled_at != 0, Erasure.begun_at.desc(), Erasure.id)
    if person:
        query = query.where(Erasure.person_id == person)
    rows = session.scalars(query.limit(limit)).all()
    doors = _doors_of(session, [row.id for row in rows])
    return [
        ShownErasure(
            erasure=row.id,
            person=row.person_id,
            kept=row.kept,
            category=row.category,
            begun_at=row.begun_at,
            settled_at=row.settled_at,
            doors=tuple(doors[row.id]),
        )
        for row in rows
    ]


def get_erasure(session: Session, erasure: str) -> Erasure:
    """Return one erasure.

    Raises:
        NotFound: `erasure-unknown`.
    """
    row = session.get(Erasure, erasure)
    if row is None:
        raise NotFound("no such erasure", code="erasure-unknown")
    return row


def _doors_of(session: Session, erasures: Collection[str]) -> defaultdict[str, list[HeardDoor]]:
    found: defaultdict[str, list[HeardDoor]] = defaultdict(list)
    rows = session.execute(
        select(ErasureDoor, Door.name)
        .join(Door, Door.id == ErasureDoor.door_id)
        .where(ErasureDoor.erasure_id.in_(erasures))
        .order_by(Door.name, Door.id)
    )
    for row, name in rows:
        found[row.erasure_id].append(HeardDoor(row.door_id, name, row.state, row.at))
    return found
