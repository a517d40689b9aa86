"""An estate on the bench: invitations made, envelopes sealed and delivered, replies opened."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from community_server.cloud_link import CloudRecords
from community_server.database import now
from community_server.estate import Estate
from community_server.intake.approvals import Decision, decide
from community_server.intake.consents import load_consents
from community_server.invitations.service import Here, invite
from community_server.keys.certified import published_certificates
from community_server.keys.root import root_key
from community_server.people.particulars import Known
from community_server.privacy.details import Details
from community_server.privacy.service import save_details
from community_server.privacy.service import sign as sign_assessment
from community_server.setup.community import get_community
from community_server.setup.service import set_up
from tier_link.certificates import root_public_bytes, verify_certificate
from tier_link.envelopes import GivenConsent, Particulars, Photo, build_enrollment
from tier_link.events import DurableRecord
from tier_link.invitations import InvitationKind, InvitationSecret, parse_link
from tier_link.relay_messages import RELAY, EnvelopeDeposited, ProfilePublished, ReplySealed
from tier_link.replies import Reply, open_reply
from tier_link.sealing import (
    SUITE_NAME,
    SealContext,
    new_sealing_key,
    seal,
    sealing_public_bytes,
)

CLOUD: Final = "cloud"
CLOUD_URL: Final = "https://cloud.example"
PASSWORD: Final = "correct horse battery"  # noqa: S105 -- of a test's own server
STAFF: Final = "5" * 32
POSES: Final = ("front", "left", "right")


def prepare(estate: Estate, *, sign: bool = True) -> None:
    """Set an estate up, make it know a cloud, and sign its assessment."""
    with estate.changer.change() as change:
        set_up(change, name="Sunny Court", username="desk", password=PASSWORD)
        community = get_community(change.session)
        community.cloud_url, community.cloud_node = CLOUD_URL, CLOUD
        community.cloud_key = root_public_bytes(Ed25519PrivateKey.generate())
    if sign:
        switch_faces_on(estate)


def switch_faces_on(estate: Estate) -> None:
    """Sign the impact assessment as the privacy officer does."""
    save_details(estate, STAFF, Details("Sunny Property Ltd", "0755-1234567"))
    sign_assessment(estate, STAFF, "Lin Mei")


@dataclass(frozen=True)
class Draft:
    """An enrollment as an honest form would write it; tests spoil one thing each."""

    invitation: InvitationSecret
    kind: InvitationKind
    community: str
    envelope: str
    key: str
    key_public: bytes
    photos: tuple[bytes, ...]
    consents: tuple[GivenConsent, ...]
    reply_key: Any = field(repr=False)
    particulars: Particulars = field(default_factory=Particulars)
    alternative: Literal["", "pin"] = ""
    auth: bytes | None = None
    sealed_by: Literal["browser", "cloud"] = "browser"

    def plaintext(self) -> bytes:
        return build_enrollment(
            auth=self.auth or self.invitation.auth,
            community=self.community,
            envelope=self.envelope,
            key=self.key,
            kind=self.kind,
            language="en",
            consents=self.consents,
            photos=[Photo(POSES[n], data) for n, data in enumerate(self.photos)],
            particulars=self.particulars,
            alternative=self.alternative,
            reply_key=sealing_public_bytes(self.reply_key),
            sealed_by=self.sealed_by,
        )

    def deposit(self) -> EnvelopeDeposited:
        context = SealContext(self.community, "enrollment", self.envelope, self.key)
        return EnvelopeDeposited(
            envelope=self.envelope,
            invitation=self.invitation.id,
            key=self.key,
            suite=SUITE_NAME,
            sealed_by=self.sealed_by,
            received_at=now(),
            sealed=seal(self.key_public, self.plaintext(), context),
        )


Spoil = Callable[[Draft], Draft]


def honest_consents() -> tuple[GivenConsent, ...]:
    return tuple(
        GivenConsent(
            text.id, text.version, text.language, hashlib.sha256(text.text.encode()).hexdigest()
        )
        for text in load_consents(unsealed_uploads=False).texts
        if text.language == "en"
    )


@dataclass
class Bench:
    """One estate with a cloud's log played to it by hand."""

    estate: Estate

    def invite(
        self,
        kind: InvitationKind = "resident",
        *,
        name: str = "Ada",
        unit: str = "1-101",
        valid_until: int = 0,
        here: Here | None = None,
    ) -> tuple[InvitationSecret, str]:
        """Return an invitation's secret and the person it is for."""
        link, person = self.invite_by_link(
            kind, name=name, unit=unit, valid_until=valid_until, here=here
        )
        return parse_link(link).invitation, person

    def invite_by_link(
        self,
        kind: InvitationKind = "resident",
        *,
        name: str = "Ada",
        unit: str = "1-101",
        valid_until: int = 0,
        here: Here | None = None,
    ) -> tuple[str, str]:
        """Return an invitation's link and the person it is for."""
        if kind == "visitor" and not valid_until:
            valid_until = now() + 3600
        with self.estate.changer.change() as change:
            invited = invite(
                change,
                self.estate.links,
                kind=kind,
                known=Known(name=name),
                unit=unit,
                valid_from=0,
                valid_until=valid_until,
                doors=(),
                days=1,
                here=here,
            )
        return invited.link, invited.person

    def draft(
        self,
        invitation: InvitationSecret,
        photos: Sequence[bytes],
        *,
        kind: InvitationKind = "resident",
    ) -> Draft:
        with self.estate.reading() as session:
            community = get_community(session).slug
        key, public = self.envelope_key()
        return Draft(
            invitation=invitation,
            kind=kind,
            community=community,
            envelope=secrets.token_hex(16),
            key=key,
            key_public=public,
            photos=tuple(photos),
            consents=honest_consents(),
            reply_key=new_sealing_key(),
        )

    def envelope_key(self) -> tuple[str, bytes]:
        """Return id and public part of the newest envelope key, verified as a browser would."""

        with self.estate.reading() as session:
            root = root_key(session, self.estate.safe).public_key()
            carried = published_certificates(session, now())[0]
            community = get_community(session).slug
        certificate = verify_certificate(
            carried.certificate,
            carried.signature,
            root,
            community=community,
            purpose="envelope",
            now=now(),
        )
        return certificate.key, certificate.public_bytes

    def deliver(self, *deposits: EnvelopeDeposited) -> None:
        """Play a batch of the cloud's log, as the link does."""
        marks = self.estate.links.marks(CLOUD)
        records = records_of(self)
        batch = [
            DurableRecord(marks.seen_sequence + number, RELAY.kind(deposit), RELAY.encode(deposit))
            for number, deposit in enumerate(deposits, 1)
        ]
        for record in batch:
            records.prepare(CLOUD, record.kind, record.body)
        self.estate.links.take(CLOUD, marks.seen_epoch or 1, batch, records.apply)

    def send(self, draft: Draft) -> list[Reply]:
        """Deliver a draft; return every reply to its envelope so far."""
        self.deliver(draft.deposit())
        return self.replies(draft)

    def decide(self, envelope: str, decision: Decision) -> bool:
        """Decide at the desk; return whether the doors know the face from now on."""
        estate = self.estate
        with estate.changer.change() as change:
            return decide(change, estate.links, estate.intake.judge, envelope, decision, STAFF)

    def sealed_replies(self, envelope: str) -> list[ReplySealed]:
        found = []
        for record in self.estate.links.pending(CLOUD, 0, limit=10_000):
            message = RELAY.decode(record.kind, record.body)
            if isinstance(message, ReplySealed) and message.envelope == envelope:
                found.append(message)
        return found

    def replies(self, draft: Draft) -> list[Reply]:

        with self.estate.reading() as session:
            root = root_key(session, self.estate.safe).public_key()
        return [
            open_reply(
                draft.reply_key,
                reply.sealed,
                root_public=root,
                community=draft.community,
                envelope=draft.envelope,
                number=reply.number,
                now=now(),
            )
            for reply in self.sealed_replies(draft.envelope)
        ]

    def profile(self) -> ProfilePublished | None:
        for record in self.estate.links.pending(CLOUD, 0, limit=10_000):
            message = RELAY.decode(record.kind, record.body)
            if isinstance(message, ProfilePublished):
                return message
        return None


def records_of(bench: Bench) -> CloudRecords:
    """Return what takes the cloud's log."""
    estate = bench.estate
    return CloudRecords(estate.changer, estate.intake, estate.visiting, estate.gate, estate.rivals)


def with_photos(*photos: bytes) -> Spoil:
    return lambda draft: replace(draft, photos=photos)
