"""The one gate for what a home's page or a door's poster sends: bytes become a `VisitRequest`.

Inside its seal a request is `MAC (32 bytes) || JSON`. The MAC is HMAC-SHA256 under the link's
`auth` over a label and the JSON's bytes.

What is asked for is a tagged union. It grows by a written rule: new fields go last and have
defaults; any other change takes a new tag, and a tag is never used for something else.
"""

import hmac
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from tier_link.base64url import decode_base64url, encode_base64url
from tier_link.certificates import KeyId
from tier_link.envelopes import GivenConsent, Particulars
from tier_link.errors import EnvelopeRefused
from tier_link.messages import HexId, PeerId, UnixSeconds
from tier_link.passes import MOST_USES
from tier_link.relay_messages import Language, SuiteName
from tier_link.sealing import SUITE_NAME, is_sealing_public_key

PURPOSE: Final = "visit"
"""What a request's seal is for, as `tier_link.sealing.SealContext` names it."""
MAX_REQUEST: Final = 16 * 1024 - 1
"""Bytes of a request: a visit to a hundred doors needs a third of it."""
MOST_DOORS_ASKED: Final = 100
MOST_CONSENTS: Final = 16
MOST_HOURS_ASKED: Final = 12
"""Whoever asks at a poster comes for today."""
STALE_S: Final = 24 * 3600
"""How far from the server's clock a request may have been sent: a phone's own may be wrong by
hours, and what the relay kept back for longer must not take effect."""

_MAC_SIZE: Final = 32
_MAC_LABEL: Final = b"gatehouse/visit/1\0"

VisitCredential: TypeAlias = Literal["face", "pass"]
Uses: TypeAlias = Annotated[int, Meta(ge=0, le=MOST_USES)]
_Name: TypeAlias = Annotated[str, Meta(max_length=64)]


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask"):
    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Look(_Asked, frozen=True, tag="look"):
    """A home's page wants to see its visits, and what becomes of them for the next hour."""


class Invite(_Asked, frozen=True, tag="invite"):
    """A resident expects somebody. `visiting` of the particulars stays empty.

    Attributes:
        visitor: What the resident wrote of them.
        valid_from, valid_until: Unix seconds; the first 0 for at once.
        doors: For which doors; none are all of the resident's.
        uses: How many entries; 0 is any number.
        credential: By face, or by a pass alone.
    """

    visitor: Particulars
    valid_from: UnixSeconds
    valid_until: UnixSeconds
    doors: Annotated[tuple[HexId, ...], Meta(max_length=MOST_DOORS_ASKED)]
    uses: Uses
    credential: VisitCredential


class Extend(_Asked, frozen=True, tag="extend"):
    """A visit goes on until `valid_until`, Unix seconds."""

    visit: HexId
    valid_until: UnixSeconds


class End(_Asked, frozen=True, tag="end"):
    """A visit is cancelled, or the visitor has left."""

    visit: HexId


class Share(_Asked, frozen=True, tag="share"):
    """The visitor's link is wanted anew; the one before ends."""

    visit: HexId


class Approve(_Asked, frozen=True, tag="approve"):
    """Somebody who asks at a poster may come."""

    visit: HexId


class Decline(_Asked, frozen=True, tag="decline"):
    """Somebody who asks at a poster may not come."""

    visit: HexId


class WithdrawFace(_Asked, frozen=True, tag="withdraw-face"):
    """A resident withdraws the consents to their own face."""


class ConfirmConsents(_Asked, frozen=True, tag="confirm-consents"):
    """A resident agrees to consents whose texts have changed; `guardian` does for a child."""

    consents: Annotated[tuple[GivenConsent, ...], Meta(max_length=MOST_CONSENTS)]
    guardian: _Name = ""


class Ask(_Asked, frozen=True, tag="ask"):
    """Somebody stands at a door's poster. `visiting` of the particulars is the unit.

    Attributes:
        visitor: What they wrote.
        hours: For how long, from the approval on.
        credential: By face, or by a pass alone.
        company: Whose courier they are; empty for everybody else.
        courier: Whether they deliver.
    """

    visitor: Particulars
    hours: Annotated[int, Meta(ge=1, le=MOST_HOURS_ASKED)]
    credential: VisitCredential
    company: _Name = ""
    courier: bool = False


FromHome: TypeAlias = (
    Look | Invite | Extend | End | Share | Approve | Decline | WithdrawFace | ConfirmConsents
)
VisitAsked: TypeAlias = FromHome | Ask


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    community: PeerId
    envelope: HexId
    suite: SuiteName
    key: KeyId
    language: Language
    sent_at: UnixSeconds
    reply_key: Annotated[str, Meta(max_length=128)]
    asked: VisitAsked


@dataclass(frozen=True, slots=True)
class VisitRequest:
    """One opened request that fits its envelope. Nobody vouches for it before `verify_mac`.

    `sent_at` is Unix seconds by the sender's clock, `reply_key` 65 bytes.
    """

    community: str
    envelope: str
    language: Language
    sent_at: int
    reply_key: bytes
    asked: VisitAsked
    _json: bytes = field(repr=False)
    _mac: bytes = field(repr=False)

    def verify_mac(self, auth: bytes) -> None:
        """Check that whoever wrote this holds the link.

        Raises:
            EnvelopeRefused: `forged`.
        """
        if not hmac.compare_digest(_mac(auth, self._json), self._mac):
            raise EnvelopeRefused("not written with this link", code="forged")

    def is_stale(self, now: int) -> bool:
        """Say whether it was sent too long ago, or too far ahead, to take effect at `now`."""
        return abs(now - self.sent_at) > STALE_S


def build_request(
    asked: VisitAsked,
    *,
    auth: bytes,
    community: str,
    envelope: str,
    key: str,
    language: Language,
    sent_at: int,
    reply_key: bytes,
) -> bytes:
    """Write a request, ready to be sealed; for clients that are no browser.

    `auth` is the link's (32 bytes), `key` the id of the envelope key it will be sealed to,
    `envelope` 16 random bytes as hex, `sent_at` Unix seconds.

    Raises:
        EnvelopeRefused: `parse_request` would refuse it.
    """
    data = msgspec.json.encode(
        _Request(
            version=1,
            community=community,
            envelope=envelope,
            suite=SUITE_NAME,
            key=key,
            language=language,
            sent_at=sent_at,
            reply_key=encode_base64url(reply_key),
            asked=asked,
        )
    )
    plaintext = _mac(auth, data) + data
    parse_request(plaintext, community=community, envelope=envelope, key=key)
    return plaintext


def parse_request(
    plaintext: bytes, *, community: str, envelope: str, key: str, suite: str = SUITE_NAME
) -> VisitRequest:
    """Read an opened request and check it against the envelope it came in.

    The MAC is not checked here: look up the link, then call `verify_mac`.

    Raises:
        EnvelopeRefused: with the code that says why.
    """
    if len(plaintext) > MAX_REQUEST:
        raise EnvelopeRefused(f"a request of {len(plaintext)} bytes", code="too-large")
    mac, data = plaintext[:_MAC_SIZE], plaintext[_MAC_SIZE:]
    try:
        request = msgspec.json.decode(data, type=_Request)
        reply_key = decode_base64url(request.reply_key)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise EnvelopeRefused(f"not a request: {error}") from error
    if not is_sealing_public_key(reply_key):
        raise EnvelopeRefused("the reply key is no key")
    for found, expected, code in (
        (request.community, community, "other-community"),
        (request.envelope, envelope, "other-envelope"),
        (request.suite, suite, "other-suite"),
        (request.key, key, "other-key"),
    ):
        if found != expected:
            raise EnvelopeRefused("the request is not this envelope's", code=code)
    return VisitRequest(
        community=request.community,
        envelope=request.envelope,
        language=request.language,
        sent_at=request.sent_at,
        reply_key=reply_key,
        asked=request.asked,
        _json=data,
        _mac=mac,
    )


def _mac(auth: bytes, data: bytes) -> bytes:
    return hmac.digest(auth, _MAC_LABEL + data, "sha256")
