"""Taking envelopes in, saying what became of them, and handing out replies."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment_cloud.communities.profiles import require_published
from enrollment_cloud.database import Database
from enrollment_cloud.enrollment.tables import Envelope, SealedReply
from enrollment_cloud.invitations.service import STANDING, find_open_invitation
from enrollment_cloud.invitations.tables import Invitation
from enrollment_cloud.limits import ENVELOPE_LIFETIME
from enrollment_cloud.relay import Relay
from tier_kit.forms.errors import Busy, Conflict, FormRefused, NotFound, TooLarge, TooMany
from tier_kit.forms.limits import MAX_VISIT_BYTES, REPLY_LIFETIME, share_of
from tier_kit.tracing import traced
from tier_link.relay_messages import EnvelopeDeposited, ReplySealed

State = Literal["waiting", "collected"]

_HOUR = 3600


@dataclass(frozen=True)
class EnvelopeState:
    """What the cloud can say of an envelope; the outcome is in the sealed replies alone."""

    state: State
    expires_at: int
    replies: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True)
class Deposits:
    """The envelopes of all communities in one database and one relay."""

    database: Database
    relay: Relay

    def admit(self, community: str, invitation: str, envelope: str, now: int) -> None:
        """Refuse what would be refused anyway, before its body is read.

        Raises:
            FormRefused: as `deposit`, save what only the body can tell.
        """
        with self.database.read() as session:
            require_published(session, community)
            if session.get(Envelope, (community, envelope)) is None:
                self._check_room(session, community, invitation, now)

    def deposit(
        self, community: str, sealed: EnvelopeDeposited, *, digest: bytes | None = None
    ) -> EnvelopeState:
        """Take an envelope for its community; taking the same one again changes nothing.

        Args:
            community: whose envelope.
            sealed: the envelope as its community will get it.
            digest: SHA-256 by which a repetition is known; of the sealed bytes by default.

        Raises:
            NotFound: `community-unknown`, `invitation-unknown`.
            Gone: `invitation-used`, `invitation-withdrawn`, `invitation-expired`.
            Conflict: another envelope or invitation has this id (`envelope-conflict`,
                `invitation-wrong`).
            TooMany: this invitation's share of the day is used up (`invitation-exhausted`).
            TooLarge: more than a page or a poster sends (`body-too-large`).
            Busy: too much waits for the community already (`community-full`), it has
                published nothing (`community-not-ready`), or the relay takes nothing now
                (`cloud-busy`).
        """
        with traced("envelope deposited", sealed.envelope, community=community):
            return self._take(community, sealed, digest or hashlib.sha256(sealed.sealed).digest())

    def _take(self, community: str, sealed: EnvelopeDeposited, digest: bytes) -> EnvelopeState:
        held = self._lacks(community, sealed, digest)
        if held:
            self.relay.hold(community, sealed)
        try:
            state = self._store(community, sealed, digest)
        except Conflict:
            raise  # the body that is there may be the other one's
        except FormRefused:
            if held:
                self.relay.release(community, sealed.envelope)
            raise
        if held and state.state == "collected":  # it came twice at once, and the other was quick
            self.relay.release(community, sealed.envelope)
        return state

    def _store(self, community: str, sealed: EnvelopeDeposited, digest: bytes) -> EnvelopeState:
        try:
            with self.database.write.begin() as session:
                return self._deposit(session, community, sealed, digest)
        except IntegrityError:
            # Two uploads of one id at once: the other one won, so this one is a repetition.
            with self.database.write.begin() as session:
                return self._deposit(session, community, sealed, digest)

    def _lacks(self, community: str, sealed: EnvelopeDeposited, digest: bytes) -> bool:
        """Say whether the relay must take the body; refuse what would be refused after that."""
        with self.database.read() as session:
            require_published(session, community)
            known = session.get(Envelope, (community, sealed.envelope))
            if known is None:
                self._check_room(session, community, sealed.invitation, sealed.received_at)
                return True
            _check_same(known, sealed, digest)
            if known.collected_at is not None:
                return False
            if not self.relay.holds(session, community, known.sequence):
                return True
        return self.relay.has_lost(community, sealed.envelope)

    def _deposit(
        self, session: Session, community: str, sealed: EnvelopeDeposited, digest: bytes
    ) -> EnvelopeState:
        require_published(session, community)
        known = session.get(Envelope, (community, sealed.envelope), with_for_update=True)
        if known is not None:
            _check_same(known, sealed, digest)
            if known.collected_at is None and not self.relay.holds(
                session, community, known.sequence
            ):
                known.sequence = self.relay.deposit(session, community, sealed)
            return _state(known)
        link = self._check_room(
            session, community, sealed.invitation, sealed.received_at, lock=True
        )
        if link.kind in STANDING and len(sealed.sealed) > MAX_VISIT_BYTES:
            raise TooLarge("body-too-large")
        row = Envelope(
            community=community,
            id=sealed.envelope,
            invitation=sealed.invitation,
            digest=digest,
            size=len(sealed.sealed),
            received_at=sealed.received_at,
            expires_at=sealed.received_at + int(ENVELOPE_LIFETIME.total_seconds()),
            sequence=self.relay.deposit(session, community, sealed),
        )
        session.add(row)
        session.flush()
        return _state(row)

    def find(self, community: str, envelope: str, now: int) -> EnvelopeState:
        """Say what became of an envelope.

        Raises:
            NotFound: it is not here: never was, expired, or lost with the relay
                (`envelope-unknown`). In each case the browser should send again.
        """
        state = self._look(community, envelope, now)
        # No session is open here: whoever must be asked may take a while to answer.
        if state.state == "waiting" and self.relay.has_lost(community, envelope):
            state = self._look(community, envelope, now)  # or was it collected meanwhile?
            if state.state == "waiting":
                raise NotFound("envelope-unknown")
        return state

    def _look(self, community: str, envelope: str, now: int) -> EnvelopeState:
        with self.database.read() as session:
            row = session.get(Envelope, (community, envelope))
            if row is None or row.expires_at <= now:
                raise NotFound("envelope-unknown")
            if row.collected_at is None and not self.relay.holds(session, community, row.sequence):
                raise NotFound("envelope-unknown")
            replies = session.execute(
                select(SealedReply.number, SealedReply.sealed)
                .where(SealedReply.community == community, SealedReply.envelope == envelope)
                .order_by(SealedReply.number)
            )
            return _state(row, tuple((number, sealed) for number, sealed in replies))

    def collect(self, session: Session, community: str, sequences: Sequence[int], now: int) -> None:
        """The community has these envelopes durably: drop the bodies, in one transaction."""
        session.execute(
            update(Envelope)
            .where(
                Envelope.community == community,
                Envelope.sequence.in_(sequences),
                Envelope.collected_at.is_(None),
            )
            .values(collected_at=now, expires_at=now + int(REPLY_LIFETIME.total_seconds()))
        )
        self.relay.drop(session, community, sequences)

    def _check_room(
        self,
        session: Session,
        community: str,
        invitation: str,
        now: int,
        *,
        lock: bool = False,
    ) -> Invitation:
        link = find_open_invitation(session, community, invitation, now, lock=lock)
        share = share_of(link.kind)
        recent = session.scalar(
            select(func.count()).where(
                Envelope.community == community,
                Envelope.invitation == invitation,
                Envelope.received_at > now - share.seconds,
            )
        )
        if (recent or 0) >= share.envelopes:
            raise TooMany("invitation-exhausted", retry_after=_HOUR)
        waiting = session.scalar(
            select(func.sum(Envelope.size)).where(
                Envelope.community == community, Envelope.collected_at.is_(None)
            )
        )
        if (waiting or 0) >= self.relay.room:
            raise Busy("community-full", retry_after=_HOUR)
        return link


def store_reply(session: Session, community: str, reply: ReplySealed, now: int) -> bool:
    """Keep a reply for its envelope; False when the envelope is forgotten already.

    A reply that came before (a restored server repeats itself) replaces the earlier one.
    """
    row = session.get(Envelope, (community, reply.envelope))
    if row is None:
        return False
    row.collected_at = row.collected_at or now
    row.expires_at = now + int(REPLY_LIFETIME.total_seconds())
    session.merge(
        SealedReply(
            community=community,
            envelope=reply.envelope,
            number=reply.number,
            sealed=reply.sealed,
            stored_at=now,
        )
    )
    return True


def _check_same(known: Envelope, sealed: EnvelopeDeposited, digest: bytes) -> None:
    if known.digest != digest:
        raise Conflict("envelope-conflict")
    if known.invitation != sealed.invitation:
        raise Conflict("invitation-wrong")


def _state(row: Envelope, replies: tuple[tuple[int, bytes], ...] = ()) -> EnvelopeState:
    state: State = "waiting" if row.collected_at is None else "collected"
    return EnvelopeState(state, row.expires_at, replies)
