"""The server's end of the link to the cloud: envelopes come in."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from community_server.change import Changer
from community_server.errors import ServerError
from community_server.intake.service import Intake
from community_server.ledger.gate import LedgerGate
from community_server.standby.rivals import Rivals
from community_server.visits.intake import is_for_visits
from community_server.visits.intake import take as take_visit
from community_server.visits.visiting import Visiting
from tier_kit.tracing import traced
from tier_link.channel import LiveLink
from tier_link.errors import RecordRefused, RequestRefused
from tier_link.relay_messages import RELAY, EnvelopeDeposited

_log = logging.getLogger(__name__)

GATE_PATIENCE_S: Final = 30.0
"""The cloud itself is asked for the ledger meanwhile, over the same link."""


class LedgerAwaited(ServerError):
    """Nothing is answered before the ledger is here."""

    code = "ledger-awaited"


@dataclass(frozen=True)
class CloudRecords:
    """A `tier_link.channel.LinkHandler` for the cloud."""

    changer: Changer
    intake: Intake
    visiting: Visiting
    gate: LedgerGate
    rivals: Rivals

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Look at an envelope's photos before the transaction that decides on them.

        Raises:
            MalformedMessage: not a message of the relay's vocabulary.
            LedgerAwaited: this server was put back and does not know yet who was erased since; the
                link ends, and the next one brings the record again.
        """
        del peer
        if not self.gate.wait(GATE_PATIENCE_S):
            raise LedgerAwaited("an envelope came before the ledger")
        message = RELAY.decode(kind, body)
        if isinstance(message, EnvelopeDeposited):
            # One for visits holds no photo, and does not open as an enrollment.
            with traced("envelope looked at", message.envelope):
                self.intake.look(self.changer.engine, self.changer.safe, message)

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Let an envelope take effect in the transaction that advances the mark.

        Raises:
            MalformedMessage: not a message of the relay's vocabulary.
            RecordRefused: one that a cloud does not send.
        """
        del peer
        message = RELAY.decode(kind, body)
        if not isinstance(message, EnvelopeDeposited):
            raise RecordRefused(f"a cloud does not send {kind}")
        with traced("envelope taken", message.envelope), self.changer.within(session) as change:
            if is_for_visits(session, message):
                take_visit(change, self.visiting, message)
            else:
                self.intake.take(change, message)

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        """Refuse: the cloud asks nothing."""
        del peer, body, deadline
        raise RequestRefused(f"a server answers no {kind}", code="request-unknown")

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Ignore: the cloud has no latest values."""
        del body
        _log.info("peer=%s latest=ignored kind=%s", peer, kind)

    def acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> None:
        """Nothing to do: what the cloud has taken is deleted by the store."""
        del session, peer, sequences

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Note the link."""
        del link
        _log.info("peer=%s link=up", peer)

    def link_down(self, peer: str) -> None:
        """Note its end."""
        self.intake.forget_looks()
        _log.info("peer=%s link=down", peer)

    def outdated(self, peer: str) -> None:
        """Take the cloud's word that another server has taken over."""
        self.rivals.hear(peer)
