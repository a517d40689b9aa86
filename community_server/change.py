"""The one way to change who may pass: database, doors and memory move together.

Inside one transaction: what a slice does, and, at its end, the news for every door it
concerns. After the commit: memory is brought up to date, links are woken, and traces of what
was deleted are wiped from the files. Locks are taken in one order, cloud before people before
doors, so that PostgreSQL never has to break a tie.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from community_server.vault.safe import Safe
from face_engine.faces import Vectors
from tier_link.ledger import RowKind
from tier_link.store import TraceEraser
from tier_link.store.tables import LinkPeer

_log = logging.getLogger(__name__)

CLOUD = "cloud"
"""The cloud's node id, as every link knows it."""

ERASED_TABLES: Final = ("pending_photos", "data_keys", "enrollments", "templates", "visits")
"""Tables that PostgreSQL rewrites after something sealed was deleted."""

_READER_WAIT_SECONDS: Final = 5.0
"""The decision that erases photos waits this long for readers; then the sweeper goes on."""


@dataclass
class Change:
    """One change under way."""

    session: Session
    safe: Safe
    people: set[str] = field(default_factory=set)
    newest: dict[str, Vectors] = field(default_factory=dict, repr=False)
    """Turned templates by person that this transaction stored: no gallery in memory has them."""
    ledger: list[tuple[RowKind, str, int]] = field(default_factory=list)
    """What no backup may undo: a row of the ledger is written of each at the change's end."""
    erased: bool = False
    reconfigured: bool = False
    doors: set[str] = field(default_factory=set)
    woken: set[str] = field(default_factory=set)
    erasures: set[str] = field(default_factory=set)
    """Ids of the erasures that this change begins."""
    forgotten: set[str] = field(default_factory=set)
    """People whom these are about: what waits for doors holds nothing older of them."""
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def touch(self, person: str) -> None:
        """Note that a person's rights, credentials or name may have changed."""
        self.people.add(person)

    def record(self, kind: RowKind, subject: str, at: int = 0) -> None:
        """Note what no backup may undo, see `ledger`; `at` where it was before now."""
        self.ledger.append((kind, subject, at))

    def wipe(self) -> None:
        """Note that something was deleted of which no trace may stay."""
        self.erased = True

    def reconfigure(self) -> None:
        """Note that what all doors are told changed: passes taken back, groups, holidays."""
        self.reconfigured = True

    def regroup(self, doors: Iterable[str]) -> None:
        """Note that access groups now let other people use these doors."""
        self.doors.update(doors)

    def wake(self, peer: str) -> None:
        """Note that a peer's outbox has news."""
        self.woken.add(peer)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Note what to do once all this is certain."""
        self.afterwards.append(call)


def eraser(engine: Engine) -> TraceEraser:
    """Return what erases the traces of deleted people and photos."""
    return TraceEraser(engine, ERASED_TABLES, _READER_WAIT_SECONDS)


@dataclass(frozen=True)
class Changer:
    """Makes changes; `tell_doors` puts news in the outbox, `refresh` brings memory up to date."""

    engine: Engine
    safe: Safe
    tell_doors: Callable[[Change], None]
    refresh: Callable[[frozenset[str]], None]
    wake: Callable[[str], None]
    traces: TraceEraser

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Make a change in a transaction of its own."""
        with Session(self.engine) as session, session.begin():
            session.execute(select(LinkPeer.peer).where(LinkPeer.peer == CLOUD).with_for_update())
            change = Change(session, self.safe)
            yield change
            self.tell_doors(change)
        self._settle(change)

    @contextmanager
    def within(self, session: Session) -> Iterator[Change]:
        """Make a change inside a transaction that somebody else, a link, commits."""
        change = Change(session, self.safe)
        # A link commits many records at once; each is compared with those before it.
        change.newest = session.info.setdefault("newest", {})
        yield change
        self.tell_doors(change)
        session.flush()

        def settle(committed: Session) -> None:
            # Releasing a savepoint is announced as a commit too; only the outer one counts.
            if committed.get_nested_transaction() is None:
                self._settle(change)

        event.listen(session, "after_commit", settle)

    def _settle(self, change: Change) -> None:
        if change.people or change.reconfigured:
            self.refresh(frozenset(change.people))
        for peer in change.woken:
            self.wake(peer)
        for call in change.afterwards:
            call()
        if change.erased:
            self.traces.erase()
