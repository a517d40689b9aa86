"""Telling doors: deltas on a change, snapshots to new and differing doors, hashes to compare.

Versions and membership live in the database and move in the transaction of the change, with
the message in the door's outbox: a door can be late, never wrong without being noticed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door, RosterMember
from community_server.errors import NotFound
from community_server.events.kinds import RosterChanged
from community_server.events.service import tell
from community_server.rosters.book import RosterBook, read_everybody, read_row
from community_server.vault.safe import Safe
from tier_link.estate_messages import (
    ESTATE,
    PEOPLE_PER_PART,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    roster_hash,
)
from tier_link.store import LinkStore

T = TypeVar("T")


@dataclass(frozen=True)
class RosterState:
    """What one door ought to hold."""

    version: int
    hash: bytes


@dataclass
class Rosters:
    """Rosters of all doors, in one template space."""

    engine: Engine
    safe: Safe
    links: LinkStore
    book: RosterBook
    space: str
    former: str = ""
    _known: dict[str, tuple[tuple[int, int], RosterState]] = field(default_factory=dict)

    def tell_doors(self, change: Change) -> None:
        """Put into each paired door's outbox what the change means for it."""
        if not change.people:
            return
        session, moment = change.session, now()
        session.flush()
        people = sorted(change.people)
        rows = {
            person: read_row(session, self.safe, person, self.space, self.former)
            for person in people
        }
        for door in lock_paired_doors(session):
            held = set(
                session.scalars(
                    select(RosterMember.person_id).where(
                        RosterMember.door_id == door.id, RosterMember.person_id.in_(people)
                    )
                )
            )
            upserts = {
                person: row.roster
                for person, row in rows.items()
                if row is not None and row.belongs_at(door.id, moment)
            }
            removed = sorted(held - upserts.keys())
            if upserts or removed:
                self._send_delta(change, door, list(upserts.values()), removed)
                session.add_all(
                    RosterMember(door_id=door.id, person_id=person)
                    for person in upserts.keys() - held
                )
                _forget_members(session, door.id, removed)

    def send_snapshot(self, change: Change, door: Door) -> None:
        """Put a whole roster, built afresh, into a door's outbox."""
        session, moment = change.session, now()
        everybody = read_everybody(session, self.safe, self.space, self.former)
        roster = [
            row.roster
            for row in everybody.values()
            if row is not None and row.belongs_at(door.id, moment)
        ]
        session.execute(delete(RosterMember).where(RosterMember.door_id == door.id))
        if roster:
            members = [{"door_id": door.id, "person_id": row.person} for row in roster]
            session.execute(insert(RosterMember), members)
        door.roster_version += 1
        parts = list(_in_parts(roster, PEOPLE_PER_PART)) or [[]]
        for number, part in enumerate(parts):
            snapshot = RosterSnapshot(door.roster_version, number, len(parts), tuple(part))
            self.links.put(session, door.id, ESTATE.kind(snapshot), ESTATE.encode(snapshot))
        tell(session, RosterChanged(door.id, door.roster_version, replaced=True))
        change.wake(door.id)

    def state(self, door: str) -> RosterState:
        """Return version and hash of the roster that a door ought to hold.

        Raises:
            NotFound: `door-unknown`.
        """
        with Session(self.engine) as session:
            row = session.get(Door, door)
            if row is None:
                raise NotFound("no such door", code="door-unknown")
            mark = (row.roster_version, self.book.revision)
            known = self._known.get(door)
            if known is not None and known[0] == mark:
                return known[1]
            members = session.scalars(
                select(RosterMember.person_id).where(RosterMember.door_id == door)
            ).all()
        state = RosterState(mark[0], roster_hash(self.book.pick(members)))
        self._known[door] = (mark, state)
        return state

    def _send_delta(
        self, change: Change, door: Door, upserts: list[RosterPerson], removed: list[str]
    ) -> None:
        parts = list(_in_parts(upserts, PEOPLE_PER_PART)) or [[]]
        for part in parts:
            door.roster_version += 1
            delta = RosterDelta(door.roster_version, tuple(part), tuple(removed))
            self.links.put(change.session, door.id, ESTATE.kind(delta), ESTATE.encode(delta))
            people = tuple(row.person for row in part)
            tell(
                change.session,
                RosterChanged(door.id, door.roster_version, people, tuple(removed)),
            )
            removed = []
        change.wake(door.id)


def lock_paired_doors(session: Session) -> Sequence[Door]:
    """Return the paired doors, locked in the order that everybody locks them in.

    The lock is the weak one (FOR NO KEY UPDATE), which entries that refer to a door pass.
    """
    return session.scalars(
        select(Door).where(Door.state == "paired").order_by(Door.id).with_for_update(key_share=True)
    ).all()


def count_members(session: Session) -> dict[str, int]:
    """Return how many people each door's roster holds."""
    counts = select(RosterMember.door_id, func.count()).group_by(RosterMember.door_id)
    return dict(session.execute(counts).all())


_CHUNK: Final = 500
"""Ids in one statement: far below every database's limit of parameters."""


def _forget_members(session: Session, door: str, people: Sequence[str]) -> None:
    for chunk in _in_parts(people, _CHUNK):
        session.execute(
            delete(RosterMember).where(
                RosterMember.door_id == door, RosterMember.person_id.in_(chunk)
            )
        )


def _in_parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
