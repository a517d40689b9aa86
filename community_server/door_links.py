"""The server's end of the doors' links: entries in, matches answered, news out."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.alarms.service import record_change
from community_server.alarms.strangers import notice_try
from community_server.audit.heads import newest_head
from community_server.calls.book import CallBook
from community_server.change import Changer
from community_server.database import now
from community_server.doors.service import get_door
from community_server.doors.tables import Door
from community_server.doors.watch import DoorWatch
from community_server.entries.live import LiveEntries
from community_server.entries.service import Namer, record_entry, remark_entry, show_entry
from community_server.entries.tables import Entry
from community_server.events.kinds import EntryMade
from community_server.events.service import tell
from community_server.keys.door_keys import door_key
from community_server.ledger.gate import LedgerGate
from community_server.lockdown.service import LockdownWatch, current
from community_server.matching import Matcher
from community_server.metrics.meters import Meters
from community_server.people.fading import FadingBook
from community_server.people.tables import Person
from community_server.renewal import Renewals
from community_server.rosters.news import Rosters
from community_server.services.stays import note_entry
from community_server.snapshots.service import keep_snapshot
from community_server.standby.queries import server_addresses
from community_server.standby.rivals import Rivals
from community_server.thresholds import ScoreBook
from community_server.visits.counting import count_visit_entry
from face_engine.self_calibration import ScoreHistogram
from tier_kit.tracing import traced
from tier_link.channel import LiveLink
from tier_link.errors import RecordRefused, RequestRefused
from tier_link.estate_messages import (
    ESTATE,
    AlarmChanged,
    CallRinging,
    DoorKey,
    DoorKeyWanted,
    DoorPresence,
    EntryRecorded,
    EntryRemarked,
    FacesFading,
    MatchRequest,
    RenewalDeclined,
    RenewalRequest,
    ScoresCounted,
    ServerNews,
    SnapshotTaken,
)
from tier_link.store import reading

_log = logging.getLogger(__name__)

NEWS_EVERY: Final = 10.0
"""Seconds between two pieces of news to a door: each renews its lease and its time."""


@dataclass(frozen=True)
class DoorRecords:
    """A `tier_link.channel.LinkHandler` for all doors."""

    engine: Engine
    changer: Changer
    rosters: Rosters
    matcher: Matcher
    renewals: Renewals
    watch: DoorWatch
    lockdowns: LockdownWatch
    live: LiveEntries
    scores: ScoreBook
    fading: FadingBook
    calls: CallBook
    name_of: Namer
    zone: ZoneInfo
    gate: LedgerGate
    rivals: Rivals
    meters: Meters = field(default_factory=Meters)

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Do nothing: no record of a door's takes long."""

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Keep an entry, a remark or an alarm, once.

        Raises:
            MalformedMessage: not a message of the estate's vocabulary.
            RecordRefused: one that a door does not send.
        """
        match ESTATE.decode(kind, body):
            case EntryRecorded() as entry:
                self._keep_entry(session, peer, entry)
            case EntryRemarked() as remark:
                number = remark_entry(session, peer, remark)
                if number is not None:
                    note_entry(session, number, self.zone)
            case AlarmChanged() as alarm:
                record_change(session, peer, alarm)
            case _:
                raise RecordRefused(f"a door does not send {kind}")

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        """Answer a match request, a wish to renew a face, or for a key; keep a refusal's picture.

        Raises:
            RequestRefused: with the code that the door is told.
            DeadlinePassed: nobody waits for the answer any more.
        """
        message = ESTATE.decode(kind, body)
        if not self.gate.is_open:
            # The gallery may hold somebody who was erased, and this door may have been revoked.
            raise RequestRefused("this server was put back and waits", code="ledger-awaited")
        match message:
            case MatchRequest() as question:
                with self.meters.matching.time():
                    answer = self.matcher.answer(peer, question, deadline)
                return ESTATE.encode(answer)
            case RenewalRequest() as wish:
                return ESTATE.encode(self.renewals.renew(peer, wish, deadline))
            case RenewalDeclined() as declined:
                return ESTATE.encode(self.renewals.decline(peer, declined))
            case SnapshotTaken() as taken:
                with self.changer.change() as change:
                    keep_snapshot(change, peer, taken)
                return b""
            case DoorKeyWanted():
                return ESTATE.encode(self._door_key(peer))
            case _:
                raise RequestRefused(f"a door does not ask {kind}", code="request-unknown")

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Take a door's presence, its count of scores, whose faces fade there, or who rings."""
        match ESTATE.decode(kind, body):
            case DoorPresence() as presence:
                self.watch.take(peer, presence)
                self.lockdowns.take(peer, presence)
            case ScoresCounted() as scores if scores.template_space == self.scores.space:
                histogram = ScoreHistogram(scores.counts, scores.compared)
                self.scores.replace(peer, "door", histogram)
            case FacesFading() as fading if fading.template_space == self.scores.space:
                self.fading.report(peer, fading.people, now())
            case CallRinging() as call:
                self.calls.take(peer, call)

    def acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> None:
        """Nothing to do: what a door has taken is deleted by the store."""
        del session, peer, sequences

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Greet a door with the news."""
        _log.info("door=%s link=up", peer)
        self.send_news(peer, link)

    def link_down(self, peer: str) -> None:
        """Note that a door's link is gone."""
        _log.info("door=%s link=down", peer)
        self.watch.forget(peer)
        self.calls.forget(peer)

    def outdated(self, peer: str) -> None:
        """Take a door's word that another server has taken over."""
        self.rivals.hear(peer)

    def send_news(self, peer: str, link: LiveLink) -> None:
        """Publish time, roster mark and the word for a lockdown to a door."""
        state = self.rosters.state(peer)
        with Session(reading(self.engine)) as session:
            word, signed = current(session), newest_head(session)
            addresses = server_addresses(session)
        news = ServerNews(
            now=now(),
            roster_version=state.version,
            roster_hash=state.hash,
            lockdown=word.number,
            locked_down=word.active,
            audit_count=signed.count if signed else 0,
            audit_head=signed.head if signed else None,
            addresses=addresses,
        )
        link.publish(ESTATE.kind(news), ESTATE.encode(news))

    def public_key(self, peer: str) -> Ed25519PublicKey | None:
        """Return a paired door's key; None for one unknown or revoked."""
        with Session(reading(self.engine)) as session:
            door = session.get(Door, peer)
            if door is None or door.state != "paired" or door.public_key is None:
                return None
            return Ed25519PublicKey.from_public_bytes(door.public_key)

    def _door_key(self, peer: str) -> DoorKey:
        with self.changer.change() as change:
            door = get_door(change.session, peer, lock=True)
            if door.state != "paired":
                raise RequestRefused("this door was revoked", code="door-revoked")
            key = door_key(change.session, change.safe, peer)
        _log.info("door=%s key=given", peer)
        return DoorKey(key)

    def _keep_entry(self, session: Session, peer: str, entry: EntryRecorded) -> None:
        kept = traced("entry kept", entry.entry, door=peer)
        with kept, self.changer.within(session) as change:
            number = record_entry(session, peer, entry, self.zone)
            if number is not None:
                change.after_commit(lambda: self._announce(number))
                change.after_commit(lambda: self.meters.count_entry(peer, entry))
                note_entry(session, number, self.zone)
                tell(session, _event_of(session, number))
                notice_try(session, peer, entry)
                self._note_first_opening(session, change.after_commit, entry)
                self._note_visit(session, change.after_commit, number)

    def _announce(self, number: int) -> None:
        with Session(reading(self.engine)) as session:
            entry = show_entry(session, self.name_of, number)
        if entry is not None:
            self.live.publish(entry)

    def _note_first_opening(
        self,
        session: Session,
        after_commit: Callable[[Callable[[], None]], None],
        message: EntryRecorded,
    ) -> None:
        """End the first opening's need of a PIN: the entry shows that it was known.

        A door that has not heard of a renewed face yet lets the old one in alone, which says
        nothing of the new one.
        """
        if not (message.granted and message.second and message.person):
            return
        person = session.get(Person, message.person)
        if person is not None and person.second_credential:
            # In a change of its own: this transaction holds a door's row, and news for doors
            # must not be written under it.
            after_commit(lambda: self._end_first_opening(message.person))

    def _note_visit(
        self,
        session: Session,
        after_commit: Callable[[Callable[[], None]], None],
        number: int,
    ) -> None:
        """Count a visitor's entry; whoever has used their last is let in no more."""
        entry = session.get_one(Entry, number)
        if entry.granted and entry.direction != "out" and entry.category == "visitor":
            # In a change of its own, as the end of a first opening is.
            after_commit(lambda: self._count_visit(entry.person_id))

    def _count_visit(self, person: str) -> None:
        with self.changer.change() as change:
            count_visit_entry(change, person)

    def _end_first_opening(self, person: str) -> None:
        with self.changer.change() as change:
            row = change.session.get(Person, person, with_for_update=True)
            if row is not None and row.second_credential:
                row.second_credential = False
                change.touch(person)


def _event_of(session: Session, number: int) -> EntryMade:
    row = session.get_one(Entry, number)
    return EntryMade(
        number=number,
        entry=row.entry,
        door=row.door_id,
        at=row.at,
        direction=row.direction,
        person=row.person_id,
        category=row.category,
        credential=row.credential,
        granted=row.granted,
        reason=row.reason,
    )
