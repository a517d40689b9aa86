"""An estate's server as the form's tests need it: paired with a real cloud over a real link.

It opens what arrives with the servers' own reader and answers what the test tells it to. What
a community server decides on its own is tested elsewhere; here the answer has to be chosen.
"""

import asyncio
import json
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session

from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.cloud_process import CloudProcess
from tier_link.certificates import (
    Purpose,
    build_certificate,
    carry_certificate,
    root_fingerprint,
    root_public_bytes,
)
from tier_link.channel import Dialer, LiveLink, NodeIdentity, dial_pairing
from tier_link.envelopes import Enrollment, parse_enrollment
from tier_link.invitations import (
    InvitationKind,
    InvitationSecret,
    invitation_link,
    new_invitation,
)
from tier_link.pairing import Paired
from tier_link.relay_messages import (
    RELAY,
    CarriedCertificate,
    Closing,
    ConsentText,
    EnvelopeDeposited,
    InvitationsPublished,
    InvitationsWithdrawn,
    ProfilePublished,
    PublishedInvitation,
    RelayMessage,
    ReplySealed,
)
from tier_link.replies import Outcome, build_reply
from tier_link.sealing import SealContext, new_sealing_key, open_sealed, sealing_public_bytes
from tier_link.store import LinkBase, LinkStore, open_database

CONSENTS = Path(__file__).parents[2] / "community_server" / "consents.json"
HOUR = 3600
KEY = "2026-w48"


def consent_texts() -> tuple[ConsentText, ...]:
    """The consents that an estate begins with, for enrollments sealed in the browser."""
    facts = json.loads(CONSENTS.read_text("utf-8"))
    return tuple(
        ConsentText(
            id=consent["id"],
            version=str(consent.get("version", facts.get("version", "1"))),
            language=language,
            required=consent["required"],
            title=consent[language]["title"],
            text=consent[language]["text"],
        )
        for consent in facts["consents"]
        for language in ("en", "zh-CN")
    )


@dataclass
class Estate:
    """One community, its keys, and its link to the cloud."""

    cloud: CloudProcess
    folder: Path
    name: str = "Sunny Court 阳光花园"
    root: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    arrived: "queue.Queue[EnvelopeDeposited]" = field(default_factory=queue.Queue)

    def __enter__(self) -> Self:
        self._envelope_key = new_sealing_key()
        self._reply_key = Ed25519PrivateKey.generate()
        self._numbers: dict[str, int] = {}
        facts = self.cloud.pair(self.name)
        self.community: str = facts["community"]
        link_key = Ed25519PrivateKey.generate()
        # In a thread: Playwright's own event loop runs in this one.
        with ThreadPoolExecutor(1) as pool:
            paired = pool.submit(self._pair, facts["code"], link_key).result(60)
        self._engine = open_database(f"sqlite:///{self.folder / self.community}.sqlite")
        LinkBase.metadata.create_all(self._engine)
        self._store = LinkStore(self._engine, keep_acknowledged=timedelta(0))
        self._cloud_node = paired.configuration.peer
        self._dialer = Dialer(
            f"{self.cloud.link_address}/link",
            NodeIdentity(paired.configuration.node, link_key),
            self._cloud_node,
            Ed25519PublicKey.from_public_bytes(paired.peer_key),
            self._store,
            self,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="estate", daemon=True)
        self._thread.start()
        self.publish()
        wait_for("the estate's profile at the cloud", self._is_published)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(20)
        self._engine.dispose()

    def _pair(self, code: str, link_key: Ed25519PrivateKey) -> Paired:
        url = f"{self.cloud.link_address}/pair"
        return asyncio.run(
            dial_pairing(url, code, role="server", private_key=link_key, name=self.name)
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._dialer.run())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def published_root(self) -> str:
        """The root key that the cloud shows for this community, base64url."""
        path = f"/api/v1/communities/{self.community}"
        text: str = self.cloud.get(path).json()["root_public"]
        return text

    def _is_published(self) -> bool:
        path = f"/api/v1/communities/{self.community}"
        return self.cloud.get(path).status_code == 200

    # What the test tells it

    def publish(
        self,
        *,
        consents: Sequence[ConsentText] | None = None,
        root: Ed25519PrivateKey | None = None,
        now: float | None = None,
    ) -> None:
        """Publish the profile; with another `root` it is not the one that links name."""
        root = root or self.root
        self._put(
            ProfilePublished(
                name=self.name,
                root_public=root_public_bytes(root),
                certificates=(
                    CarriedCertificate(*self._certify(root, "envelope", KEY, now)),
                    CarriedCertificate(*self._certify(root, "reply", "reply-1", now)),
                ),
                consents=tuple(consents if consents is not None else consent_texts()),
                unsealed_uploads=False,
                languages=("en", "zh-CN"),
            )
        )

    def invite(
        self,
        kind: InvitationKind = "resident",
        *,
        valid_for: int = HOUR,
        root: Ed25519PrivateKey | None = None,
    ) -> tuple[str, InvitationSecret]:
        """Publish a new invitation; return its link and secret."""
        fingerprint = root_fingerprint(root_public_bytes(root or self.root))
        invitation = new_invitation(fingerprint)
        expires_at = int(time.time()) + valid_for
        published = PublishedInvitation(invitation.id, kind, expires_at)
        self._put(InvitationsPublished((published,)))
        path = f"/api/v1/communities/{self.community}/invitations/{invitation.id}"
        wait_for("the invitation", lambda: self.cloud.get(path).status_code != 404)
        return invitation_link(self.cloud.address, self.community, kind, invitation), invitation

    def close_invitation(self, invitation: InvitationSecret, why: Closing) -> None:
        """Close an invitation, as its use does, or the desk."""
        self._put(InvitationsWithdrawn((invitation.id,), why))
        path = f"/api/v1/communities/{self.community}/invitations/{invitation.id}"
        wait_for("its end", lambda: self.cloud.get(path).status_code == 410)

    def receive(self, invitation: InvitationSecret, seconds: float = 30.0) -> Enrollment:
        """Wait for the next envelope, open it and verify that the invitation wrote it."""
        arrived = self.arrived.get(timeout=seconds)
        context = SealContext(self.community, "enrollment", arrived.envelope, arrived.key)
        enrollment = parse_enrollment(
            open_sealed(self._envelope_key, arrived.sealed, context),
            community=self.community,
            envelope=arrived.envelope,
            key=arrived.key,
            sealed_by=arrived.sealed_by,
        )
        enrollment.verify_mac(invitation.auth)
        assert arrived.invitation == invitation.id
        return enrollment

    def reply(
        self,
        enrollment: Enrollment,
        outcome: Outcome,
        *,
        signer: Ed25519PrivateKey | None = None,
        **facts: Any,
    ) -> None:
        """Answer, signed by the certified key, or by another `signer` that forges it."""
        number = self._numbers[enrollment.envelope] = self._numbers.get(enrollment.envelope, 0) + 1
        sealed = build_reply(
            reply_key=enrollment.reply_key,
            signing_key=signer or self._reply_key,
            certificate=carry_certificate(*self._certify(self.root, "reply", "reply-1", None)),
            community=self.community,
            envelope=enrollment.envelope,
            number=number,
            outcome=outcome,
            sent_at=int(time.time()),
            **facts,
        )
        final = outcome in {"enrolled", "refused"}
        self._put(ReplySealed(enrollment.envelope, number, final, sealed))

    def _put(self, message: RelayMessage) -> None:
        with Session(self._engine) as session, session.begin():
            self._store.put(session, self._cloud_node, RELAY.kind(message), RELAY.encode(message))
        if self._dialer.link is not None:
            self._dialer.link.wake()

    def _certify(
        self, root: Ed25519PrivateKey, purpose: Purpose, key: str, now: float | None
    ) -> tuple[bytes, bytes]:
        public = (
            sealing_public_bytes(self._envelope_key)
            if purpose == "envelope"
            else root_public_bytes(self._reply_key)
        )
        start = int(time.time() if now is None else now) - 60
        return build_certificate(
            root,
            community=self.community,
            purpose=purpose,
            key=key,
            public=public,
            not_before=start,
            not_after=start + 24 * HOUR,
        )

    # What the link tells it

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Need no time."""

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Keep an envelope for the test."""
        del session, peer
        message = RELAY.decode(kind, body)
        assert isinstance(message, EnvelopeDeposited)
        self.arrived.put(message)

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        """Nobody asks."""
        raise AssertionError((peer, kind, body, deadline))

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Nothing is published to estates."""

    def acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> None:
        """The cloud has it."""

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Connected."""

    def link_down(self, peer: str) -> None:
        """Disconnected."""

    def outdated(self, peer: str) -> None:
        """Never: it has one epoch."""
