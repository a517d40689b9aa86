"""The people who may use this door: sealed on disk, indexed in memory.

The database is the truth. Whatever a transaction changed is read back from it once the
transaction has ended, committed or not, so that memory never holds what the disk does not.
"""

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Final

import numpy as np
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from access_rules.people import Category, Person
from access_rules.schedules import Validity, WeeklyWindow
from door_terminal.database import (
    THE_ONLY_ROW,
    RosterPartRow,
    RosterPersonRow,
    RosterRow,
    once_ended,
)
from door_terminal.device_keys import DeviceKey
from door_terminal.errors import SecretDamaged
from door_terminal.wire import read
from face_engine.errors import IndexMisused
from face_engine.faces import Vectors
from face_engine.gallery_index import GalleryIndex
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import (
    ESTATE,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    roster_hash,
)
from tier_link.store import TraceEraser, reading

_log = logging.getLogger(__name__)

READER_WAIT_S: Final = 1.0
"""How long wiping waits for whoever reads the database, keeping writers out meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class RosterBook:
    """The roster as it stands in memory.

    Attributes:
        version: The server's count of its changes.
        digest: `roster_hash` of what the door holds: the proof that it is in step.
        people: By id.
        units: Ids of the people of a unit, by `unit_key`.
        passes: Ids of people, by that of their pass.
        cards: Ids of people, by what the roster holds of their cards.
        index: Templates; None while nobody has one.
    """

    version: int = 0
    digest: bytes = roster_hash(())
    people: Mapping[str, RosterPerson] = field(default_factory=dict)
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    passes: Mapping[str, str] = field(default_factory=dict)
    cards: Mapping[bytes, str] = field(default_factory=dict, repr=False)
    index: GalleryIndex | None = None

    def in_unit(self, unit: str) -> list[RosterPerson]:
        """Return the people of a unit as somebody typed it."""
        return [self.people[one] for one in self.units.get(unit_key(unit), ())]

    def with_pass(self, pass_id: str) -> RosterPerson | None:
        """Return whose pass this is."""
        return self.people.get(self.passes.get(pass_id, ""))

    def with_card(self, tag: bytes) -> RosterPerson | None:
        """Return whose card this is."""
        return self.people.get(self.cards.get(tag, ""))

    def nearest(self, vector: Vectors) -> tuple[str, float] | None:
        """Return the id nearest to a turned (d,) unit vector and its cosine."""
        if self.index is None or self.index.dimension != vector.shape[-1]:
            return None
        hits = self.index.search(vector, 1)
        return (hits[0].id, hits[0].score) if hits else None

    def nearest_other(self, vector: Vectors, person: str) -> float | None:
        """Return the best cosine among the people of other households than a person's."""
        if self.index is None:
            return None
        people, unit = self.people, self.people[person].unit

        def another(one: str) -> bool:
            other = people.get(one)
            return other is not None and one != person and not (unit and other.unit == unit)

        hit = self.index.nearest(vector, another)
        return hit.score if hit else None


def unit_key(unit: str) -> str:
    """Return what identifies a unit however it is typed: letters and digits alone."""
    return "".join(character for character in unit.casefold() if character.isalnum())


def as_person(row: RosterPerson) -> Person:
    """Return what the rules need of a roster row.

    Raises:
        MalformedMessage: a window that means nothing.
    """
    try:
        return Person(
            person=row.person,
            category=Category(row.category),
            validity=Validity(row.valid_from, row.valid_until),
            windows=tuple(
                WeeklyWindow(one.weekday_mask, one.start_minute, one.end_minute)
                for one in row.windows
            ),
            groups=row.groups,
            second_credential=row.second_credential,
            suspended=row.suspended,
        )
    except ValueError as error:
        raise MalformedMessage(f"a roster row: {error}") from error


class Roster:
    """Takes the server's news into the database and keeps `book` in step with it."""

    def __init__(self, engine: Engine, key: DeviceKey, door: str) -> None:
        self._engine = engine
        self._key = key
        self._door = door
        self._lock = RLock()
        self._changed: set[str] = set()
        self._all_changed = True
        self._traces = TraceEraser(engine, (), READER_WAIT_S)
        self.book = RosterBook()
        self.load()

    def load(self) -> None:
        """Read the whole roster, as soon as the door's key is here."""
        if self._key.here:
            self._all_changed = True
            self._refresh()

    def wipe(self) -> None:
        """Take whoever has left out of the files, too: SQLite's log goes on holding their rows.

        Called before the door proves what it holds. Where the disk is full, or somebody reads,
        it is tried again with the next proof.
        """
        if self._traces.due:
            try:
                self._traces.erase()
            except sqlite3.Error as error:
                _log.warning("the roster's traces stay for now: %s", type(error).__name__)

    def take_snapshot(self, session: Session, part: RosterSnapshot, space: str) -> None:
        """Keep one part; with the last one the new roster replaces the old in one step.

        Raises:
            MalformedMessage: a row makes no sense, or a part is missing.
        """
        for row in part.people:
            as_person(row)
        if part.part == 0:
            session.execute(delete(RosterPartRow))
        sealed = self._key.seal(ESTATE.encode(part), "roster-part", self._door, str(part.part))
        session.merge(RosterPartRow(part=part.part, version=part.version, sealed=sealed))
        session.flush()
        if part.part + 1 < part.parts:
            return
        stored = session.scalars(select(RosterPartRow).order_by(RosterPartRow.part)).all()
        if [(one.part, one.version) for one in stored] != [
            (number, part.version) for number in range(part.parts)
        ]:
            raise MalformedMessage("a snapshot of the roster lacks parts")
        session.execute(delete(RosterPersonRow))
        for one in stored:
            self._write(session, self._part(one).people, space)
        session.execute(delete(RosterPartRow))
        self._finish(session, part.version)
        self._all_changed = True

    def take_delta(self, session: Session, delta: RosterDelta, space: str) -> None:
        """Apply what leads to a newer version; an older one changes nothing.

        A step that was missed shows in the digest, which the server compares and mends.

        Raises:
            MalformedMessage: a row makes no sense.
        """
        for row in delta.upserts:
            as_person(row)
        current = session.get(RosterRow, THE_ONLY_ROW)
        if current is not None and delta.version <= current.version:
            return
        if delta.removed:
            session.execute(
                delete(RosterPersonRow).where(RosterPersonRow.person.in_(delta.removed))
            )
        self._write(session, delta.upserts, space)
        self._finish(session, delta.version)
        self._changed.update(delta.removed, (row.person for row in delta.upserts))

    def _write(self, session: Session, people: Iterable[RosterPerson], space: str) -> None:
        for row in people:
            # A part of one message stands for its rows; the vocabulary writes whole messages.
            body = ESTATE.encode(RosterDelta(version=0, upserts=(row,)))
            sealed = self._key.seal(body, "roster", self._door, row.person, space)
            session.merge(RosterPersonRow(person=row.person, space=space, sealed=sealed))
        session.flush()

    def _finish(self, session: Session, version: int) -> None:
        session.merge(RosterRow(row=THE_ONLY_ROW, version=version))
        session.flush()
        # In this order: no proof of the new roster goes out before its traces are known to be due.
        once_ended(session, self._leave_traces)
        once_ended(session, self._refresh)

    def _leave_traces(self) -> None:
        self._traces.due = True

    def _part(self, row: RosterPartRow) -> RosterSnapshot:
        body = self._key.open_sealed(row.sealed, "roster-part", self._door, str(row.part))
        return read(RosterSnapshot, body)

    def _refresh(self) -> None:
        with self._lock, Session(reading(self._engine)) as session:
            changed, self._changed = self._changed, set()
            whole, self._all_changed = self._all_changed, False
            head = session.get(RosterRow, THE_ONLY_ROW)
            query = select(RosterPersonRow)
            if not whole:
                query = query.where(RosterPersonRow.person.in_(changed))
            rows = [self._open(row) for row in session.scalars(query)]
            people = {} if whole else dict(self.book.people)
            for person in changed:
                people.pop(person, None)
            people.update((row.person, row) for row in rows if row is not None)
            index = None if whole else self.book.index
            self.book = RosterBook(
                version=0 if head is None else head.version,
                digest=roster_hash(people.values()),
                people=people,
                units=_units(people.values()),
                passes={one.pass_id: one.person for one in people.values() if one.pass_id},
                cards={tag: one.person for one in people.values() for tag in one.cards},
                index=_indexed(index, people, people.keys() if whole else changed),
            )

    def _open(self, row: RosterPersonRow) -> RosterPerson | None:
        try:
            body = self._key.open_sealed(row.sealed, "roster", self._door, row.person, row.space)
        except SecretDamaged:
            # The digest then differs from the server's, which sends the roster anew.
            _log.exception("roster row damaged person=%s", row.person)
            return None
        return read(RosterDelta, body).upserts[0]


def _units(people: Iterable[RosterPerson]) -> dict[str, tuple[str, ...]]:
    units: dict[str, tuple[str, ...]] = {}
    for one in people:
        if one.pin:
            key = unit_key(one.unit)
            units[key] = (*units.get(key, ()), one.person)
    return units


def _indexed(
    index: GalleryIndex | None, people: Mapping[str, RosterPerson], changed: Iterable[str]
) -> GalleryIndex | None:
    for person in changed:
        row = people.get(person)
        if row is None or not row.template:
            if index is not None and person in index:
                index.remove(person)
            continue
        template = np.frombuffer(row.template, "<f4").astype(np.float32)
        if index is None:
            index = GalleryIndex(template.size)
        try:
            index.put(person, template)
        except IndexMisused:
            _log.exception("roster template unusable person=%s", person)
    return index
