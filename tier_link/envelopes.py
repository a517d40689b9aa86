"""The one gate for an opened enrollment: bytes become an `Enrollment` or are refused.

Inside its seal an enrollment is::

    length of the manifest (4 bytes, big-endian) || manifest (JSON, UTF-8) || MAC (32 bytes)
    || the photos, one after another

The MAC is HMAC-SHA256 under the invitation's `auth` over a label and the manifest's bytes;
the manifest holds the hashes of photos and consents, so the MAC covers everything.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from tier_link.base64url import decode_base64url, encode_base64url
from tier_link.certificates import KeyId
from tier_link.errors import EnvelopeRefused
from tier_link.invitations import InvitationKind
from tier_link.messages import HexId, PeerId
from tier_link.relay_messages import ConsentId, ConsentVersion, Language, SealedBy, SuiteName
from tier_link.sealing import MAX_PLAINTEXT, SUITE_NAME, is_sealing_public_key

MAX_MANIFEST: Final = 32 * 1024
"""Bytes of a manifest's JSON: ten times what a full one needs."""
MAX_PHOTO: Final = 1536 * 1024
"""Bytes of one photo: the form sends some 300 KiB, other clients may send a camera's file."""
MAX_PHOTOS: Final = 3

_LENGTH_SIZE = 4
_MAC_SIZE = 32
_MAC_LABEL = b"gatehouse/enrollment/1\0"

Pose: TypeAlias = Literal["front", "left", "right"]
Sha256Hex: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Name: TypeAlias = Annotated[str, Meta(max_length=64)]
_Text: TypeAlias = Annotated[str, Meta(max_length=200)]
_Short: TypeAlias = Annotated[str, Meta(max_length=32)]


class GivenConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent that was ticked: which text, and the SHA-256 (hex) of what was shown."""

    id: ConsentId
    version: ConsentVersion
    language: Language
    sha256: Sha256Hex


class Particulars(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the person wrote; a resident's form leaves them empty."""

    name: _Name = ""
    phone: _Short = ""
    visiting: _Name = ""
    purpose: _Text = ""
    plate: _Short = ""

    def __repr__(self) -> str:
        return "Particulars(…)"


class _PhotoFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: Sha256Hex
    size: Annotated[int, Meta(ge=1, le=MAX_PHOTO)]
    pose: Pose


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    version: Literal[1]
    community: PeerId
    envelope: HexId
    suite: SuiteName
    key: KeyId
    kind: InvitationKind
    language: Language
    sealed_by: SealedBy
    consents: Annotated[tuple[GivenConsent, ...], Meta(max_length=16)]
    photos: Annotated[tuple[_PhotoFacts, ...], Meta(max_length=MAX_PHOTOS)]
    particulars: Particulars
    alternative: Literal["", "pin"]
    reply_key: Annotated[str, Meta(max_length=128)]
    guardian: _Name = ""

    def __repr__(self) -> str:
        return f"_Manifest({self.envelope})"


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo as sent: undecoded, foreign bytes."""

    pose: Pose
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One opened enrollment that fits its envelope. Nobody vouches for it before `verify_mac`.

    `alternative` is `pin` when the person wants no face; then there may be no photo.
    `reply_key` is 65 bytes, or empty for a client that cannot open a seal (`sealed_by` is
    `cloud` then), which gets no reply. `guardian` names who consented for somebody under 14, empty
    where the person did.
    """

    community: str
    envelope: str
    key: str
    kind: InvitationKind
    language: Language
    sealed_by: SealedBy
    consents: tuple[GivenConsent, ...]
    photos: tuple[Photo, ...]
    particulars: Particulars
    alternative: Literal["", "pin"]
    reply_key: bytes
    guardian: str = field(repr=False)
    _manifest: bytes = field(repr=False)
    _mac: bytes = field(repr=False)

    def verify_mac(self, auth: bytes) -> None:
        """Check that whoever wrote this holds the invitation.

        Raises:
            EnvelopeRefused: `forged`.
        """
        if not hmac.compare_digest(_mac(auth, self._manifest), self._mac):
            raise EnvelopeRefused("not written with this invitation", code="forged")


def build_enrollment(
    *,
    auth: bytes,
    community: str,
    envelope: str,
    key: str,
    kind: InvitationKind,
    language: Language,
    consents: Sequence[GivenConsent],
    photos: Sequence[Photo],
    particulars: Particulars | None = None,
    alternative: Literal["", "pin"] = "",
    reply_key: bytes = b"",
    sealed_by: SealedBy = "browser",
    guardian: str = "",
) -> bytes:
    """Write an enrollment, ready to be sealed; for clients that are no browser.

    `auth` is the invitation's (32 bytes), `key` the id of the envelope key it will be sealed
    to, `envelope` 16 random bytes as hex.

    Raises:
        EnvelopeRefused: `parse_enrollment` would refuse it.
    """
    manifest = msgspec.json.encode(
        _Manifest(
            version=1,
            community=community,
            envelope=envelope,
            suite=SUITE_NAME,
            key=key,
            kind=kind,
            language=language,
            sealed_by=sealed_by,
            consents=tuple(consents),
            photos=tuple(
                _PhotoFacts(hashlib.sha256(photo.data).hexdigest(), len(photo.data), photo.pose)
                for photo in photos
            ),
            particulars=particulars or Particulars(),
            alternative=alternative,
            reply_key=encode_base64url(reply_key),
            guardian=guardian,
        )
    )
    plaintext = b"".join(
        (
            len(manifest).to_bytes(_LENGTH_SIZE, "big"),
            manifest,
            _mac(auth, manifest),
            *(photo.data for photo in photos),
        )
    )
    parse_enrollment(
        plaintext, community=community, envelope=envelope, key=key, sealed_by=sealed_by
    )
    return plaintext


def parse_enrollment(
    plaintext: bytes,
    *,
    community: str,
    envelope: str,
    key: str,
    sealed_by: SealedBy,
    suite: str = SUITE_NAME,
) -> Enrollment:
    """Read an opened enrollment and check it against the envelope it came in.

    The arguments are what the envelope said outside its seal. The MAC is not checked here:
    look up the invitation, then call `verify_mac`.

    Raises:
        EnvelopeRefused: with the code that says why.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise EnvelopeRefused(f"an enrollment of {len(plaintext)} bytes", code="too-large")
    length = int.from_bytes(plaintext[:_LENGTH_SIZE], "big")
    start_of_photos = _LENGTH_SIZE + length + _MAC_SIZE
    if length > MAX_MANIFEST or start_of_photos > len(plaintext):
        raise EnvelopeRefused("the enrollment is cut short or not one")
    raw = plaintext[_LENGTH_SIZE : _LENGTH_SIZE + length]
    manifest, reply_key = _parse_manifest(raw)
    for found, expected, code in (
        (manifest.community, community, "other-community"),
        (manifest.envelope, envelope, "other-envelope"),
        (manifest.suite, suite, "other-suite"),
        (manifest.key, key, "other-key"),
        (manifest.sealed_by, sealed_by, "other-sealer"),
    ):
        if found != expected:
            raise EnvelopeRefused("the enrollment is not this envelope's", code=code)
    return Enrollment(
        community=manifest.community,
        envelope=manifest.envelope,
        key=manifest.key,
        kind=manifest.kind,
        language=manifest.language,
        sealed_by=manifest.sealed_by,
        consents=manifest.consents,
        photos=_split_photos(manifest.photos, plaintext[start_of_photos:]),
        particulars=manifest.particulars,
        alternative=manifest.alternative,
        reply_key=reply_key,
        guardian=manifest.guardian.strip(),
        _manifest=raw,
        _mac=plaintext[_LENGTH_SIZE + length : start_of_photos],
    )


def _parse_manifest(raw: bytes) -> tuple[_Manifest, bytes]:
    try:
        manifest = msgspec.json.decode(raw, type=_Manifest)
        reply_key = decode_base64url(manifest.reply_key)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise EnvelopeRefused(f"not a manifest: {error}") from error
    if not (is_sealing_public_key(reply_key) or (not reply_key and manifest.sealed_by == "cloud")):
        raise EnvelopeRefused("the reply key is no key")
    if len({photo.pose for photo in manifest.photos}) != len(manifest.photos):
        raise EnvelopeRefused("two photos of one pose")
    if len({consent.id for consent in manifest.consents}) != len(manifest.consents):
        raise EnvelopeRefused("one consent given twice")
    if not manifest.photos and manifest.alternative != "pin":
        raise EnvelopeRefused("neither a photo nor an alternative to one")
    return manifest, reply_key


def _split_photos(facts: Sequence[_PhotoFacts], data: bytes) -> tuple[Photo, ...]:
    if sum(photo.size for photo in facts) != len(data):
        raise EnvelopeRefused("the photos' sizes do not add up")
    photos: list[Photo] = []
    start = 0
    for fact in facts:
        photo = data[start : start + fact.size]
        start += fact.size
        if hashlib.sha256(photo).hexdigest() != fact.sha256:
            raise EnvelopeRefused("a photo is not the one described", code="photo-altered")
        photos.append(Photo(fact.pose, photo))
    return tuple(photos)


def _mac(auth: bytes, manifest: bytes) -> bytes:
    return hmac.digest(auth, _MAC_LABEL + manifest, "sha256")
