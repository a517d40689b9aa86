"""What each door's roster hashes to, kept up person by person: a change costs what it changed.

A roll is the sorted hashes of the rows that one door ought to hold. Whoever changes a roster says
in the same transaction whom the new version is about, and the book remembers what it replaced; so
only those people are looked at again. Where that does not explain how the roster came from there to
here, after a snapshot, at the start or with much at once, it is read anew from the database.
"""

import threading
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from community_server.doors.tables import Door
from community_server.errors import NotFound
from community_server.rosters.book import RosterBook
from community_server.rosters.members import FEW, members_of
from tier_link.estate_messages import hash_of_rows
from tier_link.store import reading

MOST_TOLD: Final = 1000
"""Versions remembered for a door that nobody asks about, as one that is away."""


@dataclass(frozen=True)
class RosterState:
    """What one door ought to hold."""

    version: int
    hash: bytes


class Roll:
    """The hashes of one roster's rows, in order."""

    def __init__(self, rows: Iterable[bytes]) -> None:
        self._rows = sorted(rows)
        self._hash: bytes | None = None

    def replace(self, old: Collection[bytes], new: bytes | None) -> None:
        """Put one person's row in the place of whichever they had; None takes it out."""
        for row in old:
            at = bisect_left(self._rows, row)
            if at < len(self._rows) and self._rows[at] == row:
                del self._rows[at]
                self._hash = None
        if new is not None:
            insort(self._rows, new)
            self._hash = None

    def hash(self) -> bytes:
        """Return what `tier_link.estate_messages.roster_hash` says of these rows."""
        if self._hash is None:
            self._hash = hash_of_rows(self._rows)
        return self._hash


@dataclass
class _Known:
    revision: int
    roll: Roll
    state: RosterState


@dataclass
class Rolls:
    """The rolls of all doors; safe to use from any thread."""

    engine: Engine
    book: RosterBook
    _known: dict[str, _Known] = field(default_factory=dict)
    _told: defaultdict[str, dict[int, frozenset[str]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _locks: defaultdict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, door: str, version: int, people: Iterable[str]) -> None:
        """Note whom the delta that makes this version is about; before it is committed.

        A transaction that is rolled back leaves a note behind which the next one replaces.
        """
        with self._guard:
            told = self._told[door]
            if len(told) == MOST_TOLD:
                told.clear()
            told[version] = frozenset(people)

    def forget(self, door: str) -> None:
        """Note that the door's next version is a snapshot, which nothing before explains."""
        with self._guard:
            self._told[door].clear()

    def state(self, door: str) -> RosterState:
        """Return version and hash of the roster that a door ought to hold.

        Raises:
            NotFound: `door-unknown`.
        """
        with self._guard:
            lock = self._locks[door]
        with lock, Session(reading(self.engine)) as session:
            # In this order: what changes meanwhile is looked at again the next time.
            revision = self.book.revision
            version = session.scalar(select(Door.roster_version).where(Door.id == door))
            if version is None:
                raise NotFound("no such door", code="door-unknown")
            known = self._known.get(door)
            if known is None or (known.state.version, known.revision) != (version, revision):
                known = self._follow(session, door, version, revision, known)
            return known.state

    def _follow(
        self, session: Session, door: str, version: int, revision: int, known: _Known | None
    ) -> _Known:
        roll = self._mended(session, door, version, known) if known else None
        if roll is None:
            roll = Roll(self.book.hashes(members_of(session, door)))
        with self._guard:
            told = self._told[door]
            for old in [one for one in told if one <= version]:
                del told[old]
        found = _Known(revision, roll, RosterState(version, roll.hash()))
        self._known[door] = found
        return found

    def _mended(self, session: Session, door: str, version: int, known: _Known) -> Roll | None:
        """Bring a roll up to date; None where what is remembered does not explain the way."""
        replaced = self.book.replaced_since(known.revision)
        versions = range(known.state.version + 1, version + 1)
        with self._guard:
            told = [self._told[door].get(one) for one in versions]
        if replaced is None or None in told:
            return None
        people = replaced.keys() | {one for some in told for one in some or ()}
        if len(people) > FEW:
            return None
        held = members_of(session, door, people) if people else set()
        for person in people:
            row = self.book.hash_of(person)
            rows = {*replaced.get(person, ()), row} - {None}
            known.roll.replace(rows, row if person in held else None)
        return known.roll
