"""Whose face fits less and less: noticed at the door, told to the server as ids alone.

How far accepted scores lie above the threshold never leaves the device. It is kept per person,
sealed, bound to the template it was measured with, and goes with the person.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from threading import Lock

from sqlalchemy import Engine, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from door_terminal.database import MarginsRow
from door_terminal.device_keys import DeviceKey
from door_terminal.errors import SecretDamaged
from face_engine.fading import Margins
from tier_link.estate_messages import MOST_FADING, FacesFading, RosterPerson
from tier_link.store import reading

_log = logging.getLogger(__name__)


class MarginBook:
    """The margins of this door's people. Thread-safe; stored when asked to."""

    def __init__(
        self,
        engine: Engine,
        key: DeviceKey,
        door: str,
        people: Callable[[], Mapping[str, RosterPerson]],
    ) -> None:
        self._engine = engine
        self._key = key
        self._door = door
        self._people = people
        self._lock = Lock()
        self._margins: dict[str, tuple[str, Margins]] = {}
        self._unsaved: set[str] = set()
        self.load()

    def note(self, person: RosterPerson, margin: float) -> None:
        """Take in how far above the threshold a person was recognised."""
        fits = _template_id(person)
        with self._lock:
            known, margins = self._margins.get(person.person, (fits, Margins()))
            before = margins if known == fits else Margins()
            self._margins[person.person] = (fits, before.after(margin))
            self._unsaved.add(person.person)

    def message(self, space: str) -> FacesFading:
        """Return whom the server is told of."""
        people = self._people()
        with self._lock:
            fading = sorted(
                person
                for person, (fits, margins) in self._margins.items()
                if margins.faded and person in people and _template_id(people[person]) == fits
            )
        return FacesFading(space, tuple(fading[:MOST_FADING]))

    def save(self) -> None:
        """Store what is new and forget who left; a full disk costs a few matches at most.

        Written without the lock: an opening may be waiting to be noted.
        """
        people = self._people()
        with self._lock:
            gone = [person for person in self._margins if person not in people]
            for person in gone:
                del self._margins[person]
            unsaved = self._unsaved - set(gone)
            self._unsaved = set()
            rows = [self._row(person) for person in unsaved]
        if not gone and not rows:
            return
        try:
            with Session(self._engine) as session, session.begin():
                for person in gone:
                    session.execute(delete(MarginsRow).where(MarginsRow.person == person))
                for row in rows:
                    session.merge(row)
        except SQLAlchemyError as error:
            _log.warning("margins could not be stored: %s", type(error).__name__)
            with self._lock:
                self._unsaved |= unsaved & self._margins.keys()

    def _row(self, person: str) -> MarginsRow:
        fits, margins = self._margins[person]
        sealed = self._key.seal(margins.to_bytes(), "margins", self._door, person, fits)
        return MarginsRow(person=person, template=fits, sealed=sealed)

    def load(self) -> None:
        """Read what is stored, as soon as the door's key is here."""
        if not self._key.here:
            return
        with Session(reading(self._engine)) as session:
            for row in session.query(MarginsRow):
                try:
                    data = self._key.open_sealed(
                        row.sealed, "margins", self._door, row.person, row.template
                    )
                except SecretDamaged:
                    _log.warning("margins damaged person=%s", row.person)
                    continue
                self._margins[row.person] = (row.template, Margins.from_bytes(data))


def _template_id(person: RosterPerson) -> str:
    """What tells a renewed template from the one before; says nothing of either."""
    return hashlib.sha256(person.template).hexdigest()[:16]
