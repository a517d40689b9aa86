"""What cloud and server tell each other; all but one question travels in the durable log.

Server to cloud: what the public form needs to know, replies. Cloud to server: envelopes.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from tier_link.certificates import MAX_CERTIFICATE, KeyId
from tier_link.invitations import LinkKind
from tier_link.ledger import LedgerPart, LedgerWanted, LedgerWritten
from tier_link.messages import MAX_COUNT, HexId, Message, UnixSeconds, Vocabulary
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD

MAX_SEALED = PADDED_SIZES[-1] + SEAL_OVERHEAD
"""Bytes of the largest sealed box."""
INVITATIONS_PER_MESSAGE = 1000
"""Invitations published or withdrawn in one message: bounds the receiver's transaction."""

Closing: TypeAlias = Literal["used", "withdrawn"]
"""Why an invitation is closed; the person is told."""
SealedBy: TypeAlias = Literal["browser", "cloud"]
Language: TypeAlias = Literal["en", "zh-CN"]
ConsentId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")]
ConsentVersion: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")]
SuiteName: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
Sealed: TypeAlias = Annotated[bytes, Meta(min_length=SEAL_OVERHEAD, max_length=MAX_SEALED)]


class EnvelopeDeposited(Message, frozen=True, tag="envelope-deposited"):
    """Cloud to server: a sealed enrollment has come in.

    `invitation` is the derived id the uploader named, `key` the envelope key it is sealed
    to. All fields but `sealed` are the cloud's word alone.
    """

    envelope: HexId
    invitation: HexId
    key: KeyId
    suite: SuiteName
    sealed_by: SealedBy
    received_at: UnixSeconds
    sealed: Sealed


class CarriedCertificate(Message, frozen=True):
    """A certificate's JSON, as signed, and the root's signature over it."""

    certificate: Annotated[bytes, Meta(max_length=MAX_CERTIFICATE)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class ConsentText(Message, frozen=True):
    """One consent in one language; `text` is plain paragraphs split by blank lines.

    What is hashed into an enrollment is SHA-256 over the UTF-8 bytes of `text`.
    """

    id: ConsentId
    version: ConsentVersion
    language: Language
    required: bool
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]


class ProfilePublished(Message, frozen=True, tag="profile-published"):
    """Server to cloud: everything the public form shows and uses; replaces the last one."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    root_public: Annotated[bytes, Meta(min_length=32, max_length=32)]
    certificates: Annotated[tuple[CarriedCertificate, ...], Meta(max_length=16)]
    consents: Annotated[tuple[ConsentText, ...], Meta(max_length=32)]
    unsealed_uploads: bool
    languages: Annotated[tuple[Language, ...], Meta(min_length=1, max_length=2)]


class PublishedInvitation(Message, frozen=True):
    """One open invitation, or another link of the estate's; `expires_at` in Unix seconds."""

    id: HexId
    kind: LinkKind
    expires_at: UnixSeconds


class InvitationsPublished(Message, frozen=True, tag="invitations-published"):
    """Server to cloud: these invitations are open. Repeating one replaces it."""

    invitations: Annotated[
        tuple[PublishedInvitation, ...], Meta(max_length=INVITATIONS_PER_MESSAGE)
    ]


class InvitationsWithdrawn(Message, frozen=True, tag="invitations-withdrawn"):
    """Server to cloud: these invitations are closed: used up, or called back (`withdrawn`)."""

    ids: Annotated[tuple[HexId, ...], Meta(max_length=INVITATIONS_PER_MESSAGE)]
    why: Closing = "used"


class ReplySealed(Message, frozen=True, tag="reply-sealed"):
    """Server to cloud: reply `number` (from 1) to an envelope, sealed to the enrollee.

    `final` says that no further reply follows. It tells the cloud nothing of the outcome.
    """

    envelope: HexId
    number: Annotated[int, Meta(ge=1, le=1000)]
    final: bool
    sealed: Sealed


class AuditHeadSigned(Message, frozen=True, tag="audit-head-signed"):
    """Server to cloud: how many rows its audit log has, and the head of the last.

    The cloud keeps the longest, so that a log that was cut off shows. It holds no row, and the
    signature, by the community's root key, keeps it from telling of another.
    """

    count: Annotated[int, Meta(ge=1, le=MAX_COUNT)]
    head: Annotated[bytes, Meta(min_length=32, max_length=32)]
    signed_at: UnixSeconds
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


RelayMessage: TypeAlias = (
    EnvelopeDeposited
    | LedgerWritten
    | LedgerWanted
    | LedgerPart
    | ProfilePublished
    | InvitationsPublished
    | InvitationsWithdrawn
    | ReplySealed
    | AuditHeadSigned
)

RELAY: Vocabulary[RelayMessage] = Vocabulary(
    EnvelopeDeposited,
    ProfilePublished,
    InvitationsPublished,
    InvitationsWithdrawn,
    ReplySealed,
    AuditHeadSigned,
    LedgerWritten,
    LedgerWanted,
    LedgerPart,
)
"""`RELAY.kind(m)`, `RELAY.encode(m)` to send; `RELAY.decode(kind, body)` on arrival."""
