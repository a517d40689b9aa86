"""The door's end of the link to the server: news in, entries and presence out."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_rules.lockdown import Lockdown
from door_terminal.audit_copy import AuditCopy, AuditHead
from door_terminal.calls import CallDesk
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import ConfigurationStore
from door_terminal.decisions.decider import Outcome
from door_terminal.decisions.remote_opening import RemoteOpenings
from door_terminal.device_keys import DeviceKey
from door_terminal.errors import CallEnded, KeyAwaited, OpeningRefused, ResetRefused
from door_terminal.key_custody import KeyCustody
from door_terminal.lockdown import LockdownStore
from door_terminal.roster import Roster
from door_terminal.server_addresses import ServerAddresses
from tier_link.channel import LiveLink
from tier_link.errors import RecordRefused, RequestRefused
from tier_link.estate_messages import (
    ESTATE,
    CallRefused,
    CallRinging,
    DoorConfigured,
    DoorPresence,
    FacesFading,
    FireReset,
    LockdownDeclared,
    OpeningAnswer,
    OpeningNonce,
    OpeningWanted,
    RemoteOpening,
    RosterDelta,
    RosterSnapshot,
    ScoresCounted,
    ServerNews,
)
from tier_link.ledger import LedgerWanted, LedgerWritten
from tier_link.store import hand_back, keep_rows, reading

_log = logging.getLogger(__name__)

KEY_PATIENCE_S: Final = 60.0
"""The server answers at once, or is one that does not know the question yet."""


class Uplink:
    """A `tier_link.channel.LinkHandler` for the one server that this door is paired with."""

    def __init__(
        self,
        *,
        engine: Engine,
        roster: Roster,
        configuration: ConfigurationStore,
        clock: EffectiveClock,
        lockdown: LockdownStore,
        audit: AuditCopy,
        end_fire: Callable[[str], None],
        openings: Callable[[], RemoteOpenings],
        key: DeviceKey,
        custody: KeyCustody,
        calls: Callable[[], CallDesk],
        addresses: ServerAddresses,
    ) -> None:
        """Take what the news changes.

        `end_fire` is called with the id of the member of staff who ends a fire release. `openings`
        gives what takes their orders to open, `calls` what takes their answers to who rings.
        `custody` fetches `key` where it is not here. `addresses` are where servers are looked for.
        """
        self._engine = engine
        self._roster = roster
        self._configuration = configuration
        self._clock = clock
        self._lockdown = lockdown
        self.audit = audit
        self._end_fire = end_fire
        self._openings = openings
        self._key = key
        self._custody = custody
        self._calls = calls
        self.addresses = addresses
        self.link: LiveLink | None = None

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Wait for the door's key, without which nothing can be kept.

        Raises:
            KeyAwaited: it did not come; the link ends, and the next one brings the record again.
        """
        del peer, kind, body
        if not self._key.wait(KEY_PATIENCE_S):
            raise KeyAwaited("news came before the door's key")

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Take a durable record of the server's."""
        match ESTATE.decode(kind, body):
            case RosterSnapshot() as snapshot:
                self._roster.take_snapshot(session, snapshot, self._space())
            case RosterDelta() as delta:
                self._roster.take_delta(session, delta, self._space())
            case DoorConfigured() as configured:
                self._configuration.take(session, configured)
            case LockdownDeclared() as declared:
                self._lockdown.take(session, Lockdown(declared.number, declared.active))
            case LedgerWritten() as written:
                keep_rows(session, peer, written.rows, self._root())
            case _:
                raise RecordRefused(f"{kind} is not for doors")

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        """Do what is asked of a door: end a fire release, open at the word of staff, refuse a call.

        Or hand back the ledger, to a server that was put back from a backup.

        Raises:
            RequestRefused: it cannot be done now, or something else is asked.
        """
        del deadline
        try:
            match ESTATE.decode(kind, body):
                case FireReset(staff=staff):
                    self._end_fire(staff)
                    return b""
                case OpeningWanted():
                    return ESTATE.encode(OpeningNonce(self._openings().nonce()))
                case RemoteOpening() as order:
                    return ESTATE.encode(OpeningAnswer(self._open(order).gate))
                case CallRefused() as refusal:
                    self._calls().refuse(refusal)
                    return b""
                case LedgerWanted() as wanted:
                    with Session(reading(self._engine)) as session:
                        return ESTATE.encode(hand_back(session, peer, wanted))
        except (ResetRefused, OpeningRefused, CallEnded) as refused:
            raise RequestRefused(str(refused), code=refused.code) from refused
        raise RequestRefused(f"{kind} is not asked of doors")

    def _open(self, order: RemoteOpening) -> Outcome:
        openings = self._openings()
        if not order.call:
            return openings.open(order.nonce, order.staff)
        return self._calls().open(order.call, lambda: openings.open(order.nonce, order.staff))

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Take the server's word: the time, which renews the lease, a lockdown, log, addresses."""
        del peer
        news = ESTATE.decode(kind, body)
        if not isinstance(news, ServerNews):
            return
        if news.lockdown:
            self._lockdown.hear(Lockdown(news.lockdown, news.locked_down))
        self.addresses.hear(news.addresses)
        self.audit.hear(AuditHead(news.audit_count, news.audit_head))
        self._clock.hear(news.now)

    def acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> None:
        """Do nothing: the outbox itself knows what the server has."""

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Use this link from now on."""
        _log.info("server link up peer=%s", peer)
        self.link = link
        self._custody.link_up(link)

    def link_down(self, peer: str) -> None:
        """Go on without."""
        _log.info("server link down peer=%s", peer)
        self.link = None
        self._openings().forget()

    def outdated(self, peer: str) -> None:
        """Say that this unit's disk was put back from before: its links are refused."""
        _log.critical("server=%s link=refused reason=disk-put-back action=pair-again", peer)

    def publish(self, news: DoorPresence | ScoresCounted | FacesFading | CallRinging) -> None:
        """Tell the server how this door is, if there is a link."""
        link = self.link
        if link is not None:
            link.publish(ESTATE.kind(news), ESTATE.encode(news))

    def wake(self) -> None:
        """Say that an entry waits."""
        link = self.link
        if link is not None:
            link.wake()

    def _root(self) -> bytes:
        current = self._configuration.current
        return current.wire.passes.root if current else b""

    def _space(self) -> str:
        current = self._configuration.current
        return current.wire.template_space if current else ""
