"""Replies: the community's signed answer, sealed to the key that came with the enrollment.

How it is signed and sealed: `tier_link.signed_answers`.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from tier_link.certificates import SignedCertificate
from tier_link.errors import ReplyRefused
from tier_link.messages import Code, HexId, PeerId, UnixSeconds
from tier_link.signed_answers import AnswerPlace, open_signed, seal_signed

MAX_REPLIES: Final = 1000
"""Replies to one envelope; two or three are usual."""

PassFragment: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,200}\Z")]
HomeFragment: TypeAlias = Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{64})?\Z")]


class ReplyReason(StrEnum):
    """Why an enrollment was not simply taken, beside the reasons that lie in a photo."""

    DIFFERENT_PEOPLE = "different-people"
    INVITATION_EXPIRED = "invitation-expired"
    INVITATION_USED = "invitation-used"
    INVITATION_WITHDRAWN = "invitation-withdrawn"
    INVITATION_UNKNOWN = "invitation-unknown"
    FORGED = "forged"
    CONSENT_MISSING = "consent-missing"
    CONSENT_CHANGED = "consent-changed"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    KEY_EXPIRED = "key-expired"
    DECLINED_BY_DESK = "declined-by-desk"
    MALFORMED = "malformed"
    ALREADY_ANSWERED = "already-answered"
    FACES_NOT_YET = "faces-not-yet"


Outcome: TypeAlias = Literal["received", "enrolled", "retake", "refused", "erased"]
ReceiptBlock: TypeAlias = Annotated[str, Meta(max_length=64 * 1024)]
"""A block of `tier_link.receipts`, or nothing."""


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One reply.

    `received`: the photos are good, the desk decides, or, with `faces-not-yet`, they wait unseen;
    `enrolled`: done; `retake`: send again, the invitation still holds; `refused`: final; `erased`,
    later: what the estate held of the person is gone. `reason` is a code or empty; `photo` the
    index of the photo it is about, or -1. `pin` is empty or the person's new PIN. `qr_pass` is left
    out or the fragment of the link that shows their new pass (`tier_link.passes`), `home` the one
    of a resident's personal page, `receipt` a block of `tier_link.receipts`.
    Times are Unix seconds, `expires_at` 0 when nothing expires.
    """

    version: Literal[1]
    community: PeerId
    envelope: HexId
    number: Annotated[int, Meta(ge=1, le=MAX_REPLIES)]
    outcome: Outcome
    reason: Code
    photo: Annotated[int, Meta(ge=-1, le=2)]
    pin: Annotated[str, Meta(pattern=r"^([0-9]{6,12})?\Z")]
    expires_at: UnixSeconds
    sent_at: UnixSeconds
    qr_pass: PassFragment = ""
    home: HomeFragment = ""
    receipt: ReceiptBlock = ""

    def __repr__(self) -> str:
        return f"Reply({self.envelope}, {self.number}, {self.outcome}, {self.reason!r})"


def build_reply(
    *,
    reply_key: bytes,
    signing_key: Ed25519PrivateKey,
    certificate: SignedCertificate,
    community: str,
    envelope: str,
    number: int,
    outcome: Outcome,
    sent_at: int,
    reason: str = "",
    photo: int = -1,
    pin: str = "",
    expires_at: int = 0,
    qr_pass: str = "",
    home: str = "",
    receipt: str = "",
) -> bytes:
    """Sign a reply with the certified key and seal it to `reply_key` (65 bytes).

    Raises:
        ReplyRefused: `reply-malformed`, the fields are out of bounds.
        ValueError: `reply_key` is not a key.
    """
    reply = msgspec.json.encode(
        Reply(
            version=1,
            community=community,
            envelope=envelope,
            number=number,
            outcome=outcome,
            reason=reason,
            photo=photo,
            pin=pin,
            expires_at=expires_at,
            sent_at=sent_at,
            qr_pass=qr_pass,
            home=home,
            receipt=receipt,
        )
    )
    _parse(reply)
    return seal_signed(
        reply,
        AnswerPlace("reply", community, envelope, number),
        reply_key=reply_key,
        signing_key=signing_key,
        certificate=certificate,
    )


def open_reply(
    private_key: ec.EllipticCurvePrivateKey,
    sealed: bytes,
    *,
    root_public: Ed25519PublicKey,
    community: str,
    envelope: str,
    number: int,
    now: int,
) -> Reply:
    """Open reply `number` to `envelope` and check that the community wrote it.

    `root_public` comes from `tier_link.certificates.load_root`; `now` is Unix seconds.

    Raises:
        SealBroken: not sealed to this key for this reply.
        CertificateRefused: signed by a key the root did not certify for replies.
        ReplyRefused: malformed, forged, or another reply than the one asked for.
    """
    place = AnswerPlace("reply", community, envelope, number)
    reply = _parse(open_signed(private_key, sealed, place, root_public=root_public, now=now))
    place.check(reply.community, reply.envelope, reply.number)
    return reply


def _parse(data: bytes) -> Reply:
    try:
        return msgspec.json.decode(data, type=Reply)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ReplyRefused(f"not a reply: {error}") from error
