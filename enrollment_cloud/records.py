"""What communities' records do here: the cloud's side of their links."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from enrollment_cloud.clock import unix_now
from enrollment_cloud.communities.audit import keep_audit_head
from enrollment_cloud.communities.profiles import publish_profile, root_of
from enrollment_cloud.enrollment.deposits import Deposits, store_reply
from enrollment_cloud.invitations.service import close_invitations, publish_invitations
from tier_kit.tracing import traced
from tier_link.channel import LiveLink
from tier_link.errors import RecordRefused, RequestRefused
from tier_link.ledger import LedgerWanted, LedgerWritten
from tier_link.relay_messages import (
    RELAY,
    AuditHeadSigned,
    InvitationsPublished,
    InvitationsWithdrawn,
    ProfilePublished,
    ReplySealed,
)
from tier_link.store import hand_back, keep_rows

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CommunityRecords:
    """A `tier_link.channel.LinkHandler`: what communities tell the cloud takes effect here."""

    deposits: Deposits
    since: dict[str, int] = field(default_factory=dict)
    """When each link that is up in this process came up, in Unix seconds."""

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Do nothing: no record of a community's takes long."""

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Take one durable record into the caller's transaction.

        Raises:
            MalformedMessage: not a record of the relay's vocabulary.
            RecordRefused: one that a community does not send.
        """
        message = RELAY.decode(kind, body)
        match message:
            case ProfilePublished():
                publish_profile(session, peer, message)
            case InvitationsPublished():
                publish_invitations(session, peer, message.invitations)
            case InvitationsWithdrawn():
                close_invitations(session, peer, message, unix_now())
            case ReplySealed():
                with traced("reply stored", message.envelope, community=peer):
                    stored = store_reply(session, peer, message, unix_now())
                if not stored:
                    _log.info("event=reply-too-late community=%s", peer)
            case AuditHeadSigned():
                keep_audit_head(session, peer, message)
            case LedgerWritten():
                keep_rows(session, peer, message.rows, root_of(session, peer))
            case _:
                raise RecordRefused(f"a community does not send {kind}")

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        """Hand back the ledger, to a server that was put back from a backup; refuse all else."""
        del deadline
        message = RELAY.decode(kind, body) if kind == RELAY.kind(LedgerWanted) else None
        if isinstance(message, LedgerWanted):
            with self.deposits.database.read() as session:
                return RELAY.encode(hand_back(session, peer, message))
        raise RequestRefused(f"the cloud answers no {kind}", code="request-unknown")

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Ignore: communities send no latest values."""
        del body
        _log.info("event=latest-ignored community=%s kind=%s", peer, kind)

    def acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> None:
        """The community has these envelopes durably; their bodies go in the same transaction."""
        self.deposits.collect(session, peer, sequences, unix_now())

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Note a community's link."""
        del link
        self.since[peer] = unix_now()
        _log.info("event=link-up community=%s", peer)

    def link_down(self, peer: str) -> None:
        """Note its end."""
        self.since.pop(peer, None)
        _log.info("event=link-down community=%s", peer)

    def outdated(self, peer: str) -> None:
        """Say that this database is older than what a server has met of it."""
        _log.critical("event=database-outdated community=%s action=gatehouse-cloud-restored", peer)
