"""Whose face fits less and less: they are asked to renew it.

Two sources say so: doors, of the matches made there, with nothing but ids; and the matches made
here, of which two running medians are kept per person, sealed under their own data key.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from sqlalchemy import event, or_, select
from sqlalchemy.orm import Session

from community_server.people.particulars import owner
from community_server.people.tables import Template
from community_server.vault.safe import Safe
from face_engine.fading import Margins

_CONTEXT: Final = "margins"
_MOST_WAITING: Final = 64
"""Matches of one person between two saves; more would be a loiterer's."""


class FadingBook:
    """What doors report, and matches that are still to be saved; safe to use from any thread."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._lock = threading.Lock()
        self._reported: dict[str, tuple[int, frozenset[str]]] = {}
        self._waiting: defaultdict[str, list[float]] = defaultdict(list)

    def note(self, person: str, margin: float) -> None:
        """Take in how far above the threshold a person was recognised here."""
        with self._lock:
            if len(self._waiting[person]) < _MOST_WAITING:
                self._waiting[person].append(margin)

    def report(self, door: str, people: Iterable[str], moment: int) -> None:
        """Take whom a door names, in place of whom it named before."""
        with self._lock:
            self._reported[door] = (moment, frozenset(people))

    def forget(self, door: str) -> None:
        """Forget what a door said: it is gone."""
        with self._lock:
            self._reported.pop(door, None)

    def people(self, session: Session) -> list[str]:
        """Return whose face had better be renewed; what doors said before a renewal is over."""
        with self._lock:
            reports = list(self._reported.values())
        named = {
            person: max(moment for moment, people in reports if person in people)
            for person in frozenset[str]().union(*(people for _, people in reports))
        }
        faces = select(Template.person_id, Template.created_at, Template.faded).where(
            or_(Template.faded, Template.person_id.in_(named))
        )
        return [
            person
            for person, since, faded in session.execute(faces.order_by(Template.created_at))
            if faded or named[person] > since
        ]

    def save(self, session: Session, safe: Safe) -> None:
        """Bring the sealed medians up to date, in a transaction of the caller's.

        Until its commit what waits goes on waiting.
        """
        with self._lock:
            waiting = {person: tuple(margins) for person, margins in self._waiting.items()}
        for person, new in sorted(waiting.items()):
            row = session.get(Template, person, with_for_update=True)
            if row is None or row.space != self._space:
                continue
            margins = Margins()
            if row.margins is not None:
                data = safe.open(session, owner(person), _CONTEXT, row.margins)
                margins = Margins.from_bytes(data)
            for margin in new:
                margins = margins.after(margin)
            row.margins = safe.seal(session, owner(person), _CONTEXT, margins.to_bytes())
            row.faded = margins.faded

        def settle(_: Session) -> None:
            with self._lock:
                for person, saved in waiting.items():
                    del self._waiting[person][: len(saved)]
                    if not self._waiting[person]:
                        del self._waiting[person]

        event.listen(session, "after_commit", settle, once=True)
