"""Telling doors: deltas on a change, snapshots to new and differing doors, hashes to compare.

Versions and membership live in the database and move in the transaction of the change, with
the message in the door's outbox: a door can be late, never wrong without being noticed.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final, TypeVar

from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.orm import Session

from community_server.access.groups import load_groups
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door, RosterMember
from community_server.errors import NotFound
from community_server.events.kinds import RosterChanged
from community_server.events.service import tell
from community_server.rosters.book import RosterBook, Row, read_everybody, read_rows
from community_server.vault.safe import Safe
from tier_link.estate_messages import (
    ESTATE,
    MOST_REMOVED,
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
        if not change.people and not change.doors:
            return
        session, moment = change.session, now()
        session.flush()
        groups = load_groups(session)
        rows = self._read(session, None if change.doors else sorted(change.people))
        for door in lock_paired_doors(session):
            everybody = door.id in change.doors
            held = members_of(session, door.id, None if everybody else change.people)
            # Where groups let others in, everybody's place is looked at; else only theirs who
            # changed.
            looked_at = rows.keys() | held if everybody else change.people
            belonging = {
                person: row.roster
                for person in looked_at
                if (row := rows.get(person)) and row.belongs_at(door.id, moment, groups)
            }
            joining = belonging.keys() - held
            upserts = [
                belonging[person] for person in sorted(joining | (belonging.keys() & change.people))
            ]
            removed = sorted(held & looked_at - belonging.keys())
            if upserts or removed:
                self._send_delta(change, door, upserts, removed)
                _note_members(session, door.id, joining)
                _forget_members(session, door.id, removed)

    def send_snapshot(self, change: Change, door: Door) -> None:
        """Put a whole roster, built afresh, into a door's outbox."""
        session, moment = change.session, now()
        groups = load_groups(session)
        roster = [
            row.roster
            for row in self._read(session, None).values()
            if row is not None and row.belongs_at(door.id, moment, groups)
        ]
        session.execute(delete(RosterMember).where(RosterMember.door_id == door.id))
        _note_members(session, door.id, [row.person for row in roster])
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
            members = members_of(session, door)
        state = RosterState(mark[0], roster_hash(self.book.pick(members)))
        self._known[door] = (mark, state)
        return state

    def _read(self, session: Session, people: Sequence[str] | None) -> dict[str, Row | None]:
        """Read the rows of some people, or everybody's."""
        if people is None:
            return read_everybody(session, self.safe, self.space, self.former)
        return read_rows(session, self.safe, people, self.space, self.former)

    def _send_delta(
        self, change: Change, door: Door, upserts: list[RosterPerson], removed: list[str]
    ) -> None:
        parts = zip_longest(
            _in_parts(upserts, PEOPLE_PER_PART), _in_parts(removed, MOST_REMOVED), fillvalue=()
        )
        for joining, leaving in parts:
            door.roster_version += 1
            delta = RosterDelta(door.roster_version, tuple(joining), tuple(leaving))
            self.links.put(change.session, door.id, ESTATE.kind(delta), ESTATE.encode(delta))
            people = tuple(row.person for row in joining)
            tell(
                change.session, RosterChanged(door.id, door.roster_version, people, tuple(leaving))
            )
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


def members_of(session: Session, door: str, among: Collection[str] | None = None) -> set[str]:
    """Return whom a door's roster holds, or which of some people."""
    query = select(RosterMember.person_id).where(RosterMember.door_id == door)
    if among is not None and len(among) <= _CHUNK:
        query = query.where(RosterMember.person_id.in_(among))
    return set(session.scalars(query))


def _note_members(session: Session, door: str, people: Collection[str]) -> None:
    if people:
        members = [{"door_id": door, "person_id": person} for person in people]
        session.execute(insert(RosterMember), members)


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
