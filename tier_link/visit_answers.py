"""What the community answers a home's page or whoever asks at a poster.

Numbered, signed and sealed to the key that came with the request, as `tier_link.signed_answers`
says. A request may have several: a home's page hears for a while what becomes of its visits, and
whoever asks at a poster hears first that they wait.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from tier_link.certificates import SignedCertificate
from tier_link.errors import ReplyRefused
from tier_link.messages import Code, HexId, PeerId, UnixSeconds
from tier_link.relay_messages import ConsentId
from tier_link.replies import MAX_REPLIES, HomeFragment, PassFragment, ReceiptBlock
from tier_link.signed_answers import AnswerPlace, open_signed, seal_signed
from tier_link.visits import MOST_CONSENTS, Uses, VisitCredential

MOST_VISITS: Final = 60
"""Visits of one home: more than any household has open, and the list fits an answer."""
MOST_DOORS: Final = 1000

VisitState: TypeAlias = Literal["asked", "approved", "declined", "over"]
Decider: TypeAlias = Literal["", "you", "household", "desk"]
VisitOutcome: TypeAlias = Literal["done", "waiting", "approved", "declined", "refused"]
_Name: TypeAlias = Annotated[str, Meta(max_length=64)]


class HomeDoor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A door that a resident may ask their visitors in by."""

    id: HexId
    name: _Name


class HomeVisit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One visit as its home sees it.

    `asked_at` names the door where somebody asked, empty for who was invited. `entries` is how
    often they came in so far, of `uses`.
    """

    visit: HexId
    state: VisitState
    name: _Name
    purpose: Annotated[str, Meta(max_length=200)]
    plate: Annotated[str, Meta(max_length=32)]
    valid_from: UnixSeconds
    valid_until: UnixSeconds
    doors: Annotated[tuple[HexId, ...], Meta(max_length=MOST_DOORS)]
    uses: Uses
    entries: Annotated[int, Meta(ge=0, le=2**31)]
    credential: VisitCredential
    asked_at: _Name
    decided_by: Decider

    def __repr__(self) -> str:
        return f"HomeVisit({self.visit}, {self.state})"


class Home(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a resident's page shows; `time_zone` is the estate's, an IANA name.

    `face` says that a face of theirs is kept, or waits for the desk; `receipt` is the signed block
    for the one that was erased last. `confirm` names the consents whose texts have changed, to be
    agreed to until `confirm_until`; empty and 0 where nothing is asked.
    """

    name: _Name
    unit: _Name
    time_zone: _Name
    desk_decides: bool
    doors: Annotated[tuple[HomeDoor, ...], Meta(max_length=MOST_DOORS)]
    visits: Annotated[tuple[HomeVisit, ...], Meta(max_length=MOST_VISITS)]
    face: bool = False
    receipt: ReceiptBlock = ""
    confirm: Annotated[tuple[ConsentId, ...], Meta(max_length=MOST_CONSENTS)] = ()
    confirm_until: UnixSeconds = 0

    def __repr__(self) -> str:
        return f"Home({len(self.visits)} visits)"


class VisitAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One answer.

    `outcome` is what became of the request: `done`; `waiting`, somebody decides; `approved` or
    `declined`, what was decided; `refused`, with the `reason`'s code. `visit` is the one meant.
    The visitor's link is `qr_pass` or `invitation`, a fragment each. `pin` opens the doors with
    `unit`: of a face's invitation it is handed on by another way than the link, and of a resident's
    own face that was withdrawn it is the resident's.
    """

    version: Literal[1]
    community: PeerId
    envelope: HexId
    number: Annotated[int, Meta(ge=1, le=MAX_REPLIES)]
    sent_at: UnixSeconds
    outcome: VisitOutcome
    reason: Code = ""
    visit: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")] = ""
    qr_pass: PassFragment = ""
    invitation: HomeFragment = ""
    pin: Annotated[str, Meta(pattern=r"^([0-9]{6,12})?\Z")] = ""
    unit: _Name = ""
    valid_until: UnixSeconds = 0
    home: Home | None = None

    def __repr__(self) -> str:
        return f"VisitAnswer({self.envelope}, {self.number}, {self.outcome}, {self.reason!r})"


def seal_answer(
    answer: VisitAnswer,
    *,
    reply_key: bytes,
    signing_key: Ed25519PrivateKey,
    certificate: SignedCertificate,
) -> bytes:
    """Sign an answer with the certified key and seal it to `reply_key` (65 bytes).

    Raises:
        ReplyRefused: `reply-malformed`, the fields are out of bounds.
        ValueError: `reply_key` is not a key.
    """
    data = msgspec.json.encode(answer)
    _parse(data)
    place = AnswerPlace("visit-answer", answer.community, answer.envelope, answer.number)
    return seal_signed(
        data, place, reply_key=reply_key, signing_key=signing_key, certificate=certificate
    )


def open_answer(
    private_key: ec.EllipticCurvePrivateKey,
    sealed: bytes,
    *,
    root_public: Ed25519PublicKey,
    community: str,
    envelope: str,
    number: int,
    now: int,
) -> VisitAnswer:
    """Open answer `number` to `envelope` and check that the community wrote it.

    Raises:
        SealBroken: not sealed to this key for this answer.
        CertificateRefused: signed by a key the root did not certify for replies.
        ReplyRefused: malformed, forged, or another answer than the one asked for.
    """
    place = AnswerPlace("visit-answer", community, envelope, number)
    answer = _parse(open_signed(private_key, sealed, place, root_public=root_public, now=now))
    place.check(answer.community, answer.envelope, answer.number)
    return answer


def _parse(data: bytes) -> VisitAnswer:
    try:
        return msgspec.json.decode(data, type=VisitAnswer)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ReplyRefused(f"not an answer: {error}") from error
