"""The log of decisions: each in one transaction with the message that reports it.

An entry is durable before the gate hears of it. When the database cannot take it (the disk is
full, say), it goes to the reserve, and from there to the database once that is possible.
"""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sqlalchemy import Engine, and_, delete, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from access_rules.alarms import EntryRemark
from access_rules.decision import DecisionReason, Liveness, PassUse
from access_rules.people import Credential, Direction, Person
from door_terminal.clock import EffectiveClock
from door_terminal.credentials.pass_uses import PassUses, store_use
from door_terminal.database import EntryRow
from door_terminal.reserve import Reserve
from door_terminal.wire import read
from tier_kit.tracing import trace_past
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE, EntryRecorded, EntryRemarked
from tier_link.store import LinkBase, LinkStore, reading

_log = logging.getLogger(__name__)

CAPACITY: Final = 50_000
"""Entries that a door keeps at least, with no server: weeks of a busy gate, some 30 MB
(`python -m benchmarks door_entries`). Beyond it acknowledged ones go before their time; unsent ones
stay for as long as the disk has room."""
BATCH: Final = 500
"""Entries deleted in one transaction."""
_MAX_TOOK_MS = 3_600_000  # the wire's bound


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an entry reports.

    Attributes:
        granted: Whether the door opens.
        reason: Why, or why not.
        credential: The newest credential shown.
        person: Whom it named, if anybody.
        direction: Which way.
        matched: Where a face was matched: "local", "remote" or "".
        took_ms: From the last needed frame (or the last key) to the decision.
        frames: Good frames that the decision rests on.
        liveness: What a face was seen to be; empty when nobody looked.
        first: The other credential of the same person, shown a moment before; None for none.
        use: The pass among what was shown; counted if the door opens.
        by: Id of the member of staff who had the door opened; empty for anything else.
    """

    granted: bool
    reason: DecisionReason
    credential: Credential
    person: Person | None
    direction: Direction
    matched: str = ""
    took_ms: float = 0.0
    frames: int = 0
    liveness: Liveness = Liveness.UNASKED
    first: Credential | None = None
    use: PassUse | None = None
    by: str = ""


class EntryLog:
    """Records entries for one server, and with them the uses of passes. Thread-safe."""

    def __init__(
        self, engine: Engine, store: LinkStore, server: str, clock: EffectiveClock, reserve: Reserve
    ) -> None:
        self._engine = engine
        self._store = store
        self._server = server
        self._clock = clock
        self._reserve = reserve
        self._lock = Lock()
        self._next = self._first_free_sequence()
        self.pass_uses = PassUses(engine, self._waiting_unknown())

    def record(self, attempt: Attempt, entry: str = "") -> EntryRecorded:
        """Make one entry durable, in the database or in the reserve.

        Args:
            attempt: What it reports.
            entry: Its id, where that was needed before; empty draws one.

        Raises:
            NotRecordable: neither can take it.
        """
        with self._lock:
            at = self._clock.milliseconds()
            message = EntryRecorded(
                entry=entry or secrets.token_hex(16),
                door_sequence=self._next,
                at=at or 0,
                time_known=at is not None,
                direction=attempt.direction.value,
                person=attempt.person.person if attempt.person else "",
                category=attempt.person.category.value if attempt.person else "",
                credential=attempt.credential.value,
                granted=attempt.granted,
                reason=attempt.reason.value,
                matched=attempt.matched,
                took_ms=min(round(attempt.took_ms), _MAX_TOOK_MS),
                frames=attempt.frames,
                liveness=attempt.liveness.value,
                second=attempt.first is not None,
                pass_id=attempt.use.pass_id if attempt.use else "",
                pass_step=attempt.use.step if attempt.use else 0,
                first=attempt.first.value if attempt.first else "",
                by=attempt.by,
            )
            try:
                with Session(self._engine) as session, session.begin():
                    self._insert(session, message)
            except SQLAlchemyError as error:
                _log.warning("entry goes to the reserve: %s", type(error).__name__)
                self._reserve.put(ESTATE.encode(message))
            self._next += 1
            self.pass_uses.note(message)
        trace_past("entry decided", message.entry, attempt.took_ms)
        return message

    def remark(self, entry: str, remark: EntryRemark) -> None:
        """Tell the server what was noticed about an entry; a full disk costs the remark."""
        message = EntryRemarked(entry, remark.value)
        try:
            with Session(self._engine) as session, session.begin():
                self._store.put(session, self._server, ESTATE.kind(message), ESTATE.encode(message))
        except SQLAlchemyError as error:
            _log.warning("a remark is lost remark=%s: %s", remark.value, type(error).__name__)

    def drain_reserve(self) -> int:
        """Bring waiting entries into the database; return how many it took.

        Stops quietly at the first that the database still refuses.
        """
        moved = 0
        for slot, payload in self._reserve.waiting():
            try:
                message = read(EntryRecorded, payload)
                with self._lock, Session(self._engine) as session, session.begin():
                    if not _known(session, message.entry):
                        self._insert(session, message)
            except MalformedMessage:
                _log.exception("an entry in the reserve is unreadable slot=%d", slot)
                continue
            except SQLAlchemyError:
                break
            self._reserve.clear(slot)
            moved += 1
        return moved

    def unsent(self) -> int:
        """Return how many entries the server has not acknowledged."""
        return self._store.waiting(self._server) + len(self._reserve)

    def filled(self) -> float:
        """Return how full the log is of entries that the server has not taken; 1.0 is full."""
        return self.unsent() / CAPACITY

    def prune(self) -> None:
        """Forget entries whose message the link no longer keeps; the newest stays, it counts."""
        outbox = LinkBase.metadata.tables["link_outbox"]
        kept = select(outbox.c.sequence).where(outbox.c.peer == self._server)
        newest = select(func.max(EntryRow.door_sequence)).scalar_subquery()
        with Session(self._engine) as session, session.begin():
            session.execute(
                delete(EntryRow).where(
                    EntryRow.link_sequence.not_in(kept), EntryRow.door_sequence < newest
                )
            )

    def make_room(self, capacity: int = CAPACITY) -> int:
        """Delete the oldest acknowledged entries beyond what the log is to hold; return how many.

        At most `BATCH` at a time, so that no entry waits long for the disk. Unsent entries stay,
        and so does the newest, from which the door counts on.
        """
        outbox = LinkBase.metadata.tables["link_outbox"]
        message = and_(outbox.c.peer == self._server, outbox.c.sequence == EntryRow.link_sequence)
        with Session(self._engine) as session, session.begin():
            kept = session.scalars(select(func.count()).select_from(EntryRow)).one()
            if kept <= capacity:
                return 0
            newest = select(func.max(EntryRow.door_sequence)).scalar_subquery()
            oldest = session.execute(
                select(EntryRow.door_sequence, EntryRow.link_sequence)
                .outerjoin(outbox, message)
                .where(
                    EntryRow.door_sequence < newest,
                    or_(outbox.c.sequence.is_(None), outbox.c.acknowledged_at.is_not(None)),
                )
                .order_by(EntryRow.door_sequence)
                .limit(min(kept - capacity, BATCH))
            ).all()
            self._store.drop_acknowledged(session, self._server, [link for _, link in oldest])
            session.execute(
                delete(EntryRow).where(EntryRow.door_sequence.in_([one for one, _ in oldest]))
            )
        return len(oldest)

    def _insert(self, session: Session, message: EntryRecorded) -> None:
        body = ESTATE.encode(message)
        sequence = self._store.put(session, self._server, ESTATE.kind(message), body)
        session.add(
            EntryRow(
                door_sequence=message.door_sequence,
                entry=message.entry,
                link_sequence=sequence,
                body=body,
            )
        )
        store_use(session, message)

    def _waiting_unknown(self) -> Iterator[EntryRecorded]:
        """Return what waits in the reserve and has not reached the database yet."""
        with Session(reading(self._engine)) as session:
            for _, payload in self._reserve.waiting():
                message = read(EntryRecorded, payload)
                if not _known(session, message.entry):
                    yield message

    def _first_free_sequence(self) -> int:
        with Session(reading(self._engine)) as session:
            last = session.execute(select(func.max(EntryRow.door_sequence))).scalar_one() or 0
        waiting = [
            read(EntryRecorded, payload).door_sequence for _, payload in self._reserve.waiting()
        ]
        return int(max([last, *waiting])) + 1


def _known(session: Session, entry: str) -> bool:
    return session.scalar(select(EntryRow.door_sequence).where(EntryRow.entry == entry)) is not None
