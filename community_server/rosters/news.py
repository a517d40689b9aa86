"""Telling doors: deltas on a change, snapshots to new and differing doors, hashes to compare.

Versions and membership live in the database and move in the transaction of the change, with
the message in the door's outbox: a door can be late, never wrong without being noticed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import Final

from msgspec.structs import replace
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from community_server.access.groups import load_groups
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door, RosterMember
from community_server.events.kinds import RosterChanged
from community_server.events.service import tell
from community_server.rosters.book import RosterBook, Row, read_everybody, read_rows
from community_server.rosters.members import (
    forget_members,
    holders_of,
    in_parts,
    members_of,
    note_members,
)
from community_server.rosters.rolls import Rolls, RosterState
from community_server.vault.safe import Safe
from tier_link.estate_messages import (
    ESTATE,
    MOST_REMOVED,
    PEOPLE_PER_PART,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
)
from tier_link.store import LinkStore

_ROSTER_KINDS: Final = (ESTATE.kind(RosterDelta), ESTATE.kind(RosterSnapshot))


@dataclass
class Rosters:
    """Rosters of all doors, in one template space."""

    engine: Engine
    safe: Safe
    links: LinkStore
    book: RosterBook
    space: str
    former: str = ""
    rolls: Rolls = field(init=False)

    def __post_init__(self) -> None:
        self.rolls = Rolls(self.engine, self.book)

    def tell_doors(self, change: Change) -> None:
        """Put into each paired door's outbox what the change means for it."""
        if not change.people and not change.doors:
            return
        session, moment = change.session, now()
        session.flush()
        groups = load_groups(session)
        rows = self._read(session, None if change.doors else sorted(change.people))
        doors = lock_paired_doors(session)
        holders = holders_of(session, change.people)
        for door in doors:
            if change.forgotten:
                self.links.rewrite(session, door.id, partial(_without, change.forgotten))
            everybody = door.id in change.doors
            held = members_of(session, door.id) if everybody else holders[door.id]
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
                note_members(session, door.id, joining)
                forget_members(session, door.id, removed)

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
        note_members(session, door.id, [row.person for row in roster])
        self.rolls.forget(door.id)
        door.roster_version += 1
        parts = list(in_parts(roster, PEOPLE_PER_PART)) or [[]]
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
        return self.rolls.state(door)

    def _read(self, session: Session, people: Sequence[str] | None) -> dict[str, Row | None]:
        """Read the rows of some people, or everybody's."""
        if people is None:
            return read_everybody(session, self.safe, self.space, self.former)
        return read_rows(session, self.safe, people, self.space, self.former)

    def _send_delta(
        self, change: Change, door: Door, upserts: list[RosterPerson], removed: list[str]
    ) -> None:
        parts = zip_longest(
            in_parts(upserts, PEOPLE_PER_PART), in_parts(removed, MOST_REMOVED), fillvalue=()
        )
        for joining, leaving in parts:
            door.roster_version += 1
            delta = RosterDelta(door.roster_version, tuple(joining), tuple(leaving))
            people = tuple(row.person for row in joining)
            self.rolls.tell(door.id, door.roster_version, {*people, *leaving})
            self.links.put(change.session, door.id, ESTATE.kind(delta), ESTATE.encode(delta))
            tell(
                change.session, RosterChanged(door.id, door.roster_version, people, tuple(leaving))
            )
        change.wake(door.id)


def _without(people: Collection[str], kind: str, body: bytes) -> bytes | None:
    """Return a roster message as it is without some people; None for any other and without them."""
    if kind not in _ROSTER_KINDS:
        return None
    match ESTATE.decode(kind, body):
        case RosterDelta() as delta:
            kept = tuple(row for row in delta.upserts if row.person not in people)
            same = len(kept) == len(delta.upserts)
            return None if same else ESTATE.encode(replace(delta, upserts=kept))
        case RosterSnapshot() as snapshot:
            kept = tuple(row for row in snapshot.people if row.person not in people)
            same = len(kept) == len(snapshot.people)
            return None if same else ESTATE.encode(replace(snapshot, people=kept))
    return None


def lock_paired_doors(session: Session) -> Sequence[Door]:
    """Return the paired doors, locked in the order that everybody locks them in.

    The lock is the weak one (FOR NO KEY UPDATE), which entries that refer to a door pass.
    """
    return session.scalars(
        select(Door).where(Door.state == "paired").order_by(Door.id).with_for_update(key_share=True)
    ).all()
