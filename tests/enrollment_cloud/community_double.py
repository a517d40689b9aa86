"""A community's server at the other end of a real link, without anything behind it."""

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.samples import CommunityKeys, published
from tests.support.link_nodes import IdleHandler, OwnLoop
from tier_link.channel import Dialer, LiveLink, NodeIdentity, dial_pairing
from tier_link.envelopes import Enrollment, parse_enrollment
from tier_link.invitations import InvitationSecret, LinkKind
from tier_link.relay_messages import (
    RELAY,
    EnvelopeDeposited,
    InvitationsPublished,
    InvitationsWithdrawn,
    RelayMessage,
    ReplySealed,
)
from tier_link.replies import Outcome, build_reply
from tier_link.sealing import SealContext, open_sealed
from tier_link.store import LinkBase, LinkStore, open_database


@dataclass
class Received(IdleHandler):
    """A `LinkHandler` that writes down what comes."""

    envelopes: list[EnvelopeDeposited] = field(default_factory=list, repr=False)
    up: threading.Event = field(default_factory=threading.Event)

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Take an envelope."""
        del session, peer
        message = RELAY.decode(kind, body)
        assert isinstance(message, EnvelopeDeposited)
        self.envelopes.append(message)

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Note it."""
        del peer, link
        self.up.set()

    def link_down(self, peer: str) -> None:
        """Note it."""
        del peer
        self.up.clear()


@dataclass
class CommunityDouble:
    """One community. `connect` and `disconnect` as often as needed."""

    folder: Path
    keys: CommunityKeys = field(default_factory=CommunityKeys)
    received: Received = field(default_factory=Received)
    link_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    cloud_key: bytes = b""
    dialer: Dialer | None = None
    _engine: Engine | None = None
    _own: OwnLoop | None = None

    @property
    def engine(self) -> Engine:
        """Its database, which holds its end of the link alone."""
        if self._engine is None:
            self._engine = open_database(f"sqlite:///{self.folder}/community.sqlite")
            LinkBase.metadata.create_all(self._engine)
        return self._engine

    @property
    def store(self) -> LinkStore:
        """Its end of the link."""
        return LinkStore(self.engine, keep_acknowledged=timedelta(0))

    @property
    def id(self) -> str:
        """The community's id."""
        return self.keys.community

    def pair(self, link_address: str, facts: dict[str, Any]) -> None:
        """Prove the code that the cloud's operator got."""
        paired = asyncio.run(
            dial_pairing(
                f"{link_address}/pair",
                facts["code"],
                role="server",
                private_key=self.link_key,
                name="double",
            )
        )
        assert paired.configuration.node == facts["community"]
        self.cloud_key = paired.peer_key
        self.keys = CommunityKeys(facts["community"])

    def connect(self, link_address: str, *, wait: bool = True) -> None:
        """Dial the cloud and keep the link up."""
        self.dialer = Dialer(
            f"{link_address}/link",
            NodeIdentity(self.id, self.link_key),
            "cloud",
            Ed25519PublicKey.from_public_bytes(self.cloud_key),
            self.store,
            self.received,
        )
        self._own = OwnLoop()
        asyncio.run_coroutine_threadsafe(self.dialer.run(), self._own.loop)
        if wait:
            assert self.received.up.wait(30), self.dialer.state

    def disconnect(self) -> None:
        """Hang up."""
        if self._own is not None:
            self._own.stop()
            self._own = None

    def close(self) -> None:
        """Hang up and let go of the database."""
        self.disconnect()
        if self._engine is not None:
            self._engine.dispose()

    def say(self, message: RelayMessage) -> None:
        """Put a message into the log to the cloud."""
        with Session(self.engine) as session, session.begin():
            self.store.put(session, "cloud", RELAY.kind(message), RELAY.encode(message))
        if self.dialer is not None and self.dialer.link is not None:
            self.dialer.link.wake()

    def publish(self, *, unsealed: bool = False) -> None:
        """Publish the profile."""
        self.say(self.keys.profile(unsealed=unsealed))

    def invite(self, kind: LinkKind = "resident", lasts: int = 3600) -> InvitationSecret:
        """Publish an invitation."""
        invitation = self.keys.invitation()
        self.say(InvitationsPublished((published(invitation, kind, lasts),)))
        return invitation

    def withdraw(self, invitation: InvitationSecret) -> None:
        """Say that it is used."""
        self.say(InvitationsWithdrawn((invitation.id,)))

    def settle(self) -> None:
        """Wait until the cloud has taken everything that was said."""
        wait_for("the cloud to take it", lambda: self.store.waiting("cloud") == 0)

    def next_envelope(self, envelope: str) -> EnvelopeDeposited:
        """Wait for an envelope."""
        return wait_for(
            f"envelope {envelope}",
            lambda: next(
                (one for one in self.received.envelopes if one.envelope == envelope), None
            ),
        )

    def open(self, deposited: EnvelopeDeposited) -> Enrollment:
        """Open an envelope as the server would."""
        context = SealContext(self.id, "enrollment", deposited.envelope, deposited.key)
        return parse_enrollment(
            open_sealed(self.keys.envelope, deposited.sealed, context),
            community=self.id,
            envelope=deposited.envelope,
            key=deposited.key,
            sealed_by=deposited.sealed_by,
        )

    def reply(self, enrollment: Enrollment, number: int, outcome: Outcome) -> bytes:
        """Answer an enrollment; return the sealed reply."""
        sealed = build_reply(
            reply_key=enrollment.reply_key,
            signing_key=self.keys.reply,
            certificate=self.keys.reply_certificate,
            community=self.id,
            envelope=enrollment.envelope,
            number=number,
            outcome=outcome,
            sent_at=int(time.time()),
        )
        final = outcome in {"enrolled", "refused"}
        self.say(ReplySealed(enrollment.envelope, number, final=final, sealed=sealed))
        return sealed

    @staticmethod
    def consents_chosen(language: str = "en") -> str:
        """What an unsealed upload names as consents."""
        return json.dumps(
            [{"id": one, "version": "1", "language": language} for one in ("encode", "unsealed")]
        )
