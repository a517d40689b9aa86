"""Passes: a QR code beside the face, made by the estate and read by a door without any link.

There are two kinds, and both fit a QR code of version 5 or 6 as base45 text:

A *fixed* pass is a packed claim signed by one of the community's pass keys (Ed25519, RFC 8032).
It can be printed and photographed; what bounds that is its time, its doors and a number of uses.

A *code* is what a resident's phone shows: it changes every 30 seconds, and the phone itself signs
it (ECDSA P-256, which every browser's WebCrypto has; FIPS 186-5). A door knows the phone's
public key by its roster, so that nothing which lies on a door can make a code.

Behind the version byte a claim names the community by two bytes and the key by two more. They
choose, they prove nothing: the signature covers the whole fingerprint of the community's root.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tier_link.base45 import decode_base45, encode_base45
from tier_link.base64url import encode_base64url
from tier_link.certificates import root_fingerprint, verify_certificate
from tier_link.errors import CertificateRefused, PassRefused

FIXED: Final = 1
CODE: Final = 2
ID_SIZE: Final = 8
"""Bytes of a pass's id: drawn at random, and no secret."""
PHONE_KEY_SIZE: Final = 33
"""Bytes of a phone's public key: a compressed P-256 point."""
STEP_S: Final = 30
"""Seconds after which a phone shows another code."""
STEPS_OFF: Final = 1
"""Steps by which a phone's clock may be off: a code lives 90 seconds at most."""
LONGEST_S: Final = 90 * 24 * 3600
"""How long a fixed pass may live: whoever comes for longer shows a code that changes. Doors keep
counts of uses, and their keys, a little longer than this."""
LONGEST_ALONE_S: Final = 24 * 3600
"""How long a pass may live that doors accept without having heard of it: nothing but a list of
revoked ones, where it has arrived, stops it before its end."""
MOST_DOORS: Final = 4
"""Doors that a claim can name: each costs three bytes, and the code must stay readable."""
MOST_USES: Final = 255

_SIGNATURE_SIZE: Final = 64
_HALF: Final = _SIGNATURE_SIZE // 2
_TAG_SIZE: Final = 3
_HEAD: Final = struct.Struct(">B2sH8sBI3sB")
_CODE: Final = struct.Struct(">B2s8sI")
_FIXED_LABEL: Final = b"gatehouse/pass/1\0"
_CODE_LABEL: Final = b"gatehouse/pass-code/1\0"
_MINUTE: Final = 60
_ALONE_BIT: Final = 0b100
_DOORS_SHIFT: Final = 3
_LONGEST_TEXT: Final = 200
"""Characters: 153 are used; a longer one is some other code that came into view."""

Category: TypeAlias = Literal["resident", "visitor", "service"]
_CATEGORIES: Final[tuple[Category, ...]] = ("resident", "visitor", "service")


@dataclass(frozen=True, slots=True)
class PassClaim:
    """What a fixed pass says.

    Attributes:
        pass_id: 16 hex characters.
        category: What its bearer is to the estate; grades the lease at a door.
        begins: Unix seconds.
        ends: Unix seconds, the first at which it no longer holds; whole minutes after `begins`,
            90 days at most.
        uses: How often it opens: at its one door or, with several, at each; 0 is any number.
        doors: Tags (`door_tag`) of the doors it is for, at most four; none means every door of
            its bearer's.
        alone: A door accepts it without having it on the roster; then it lives 24 hours at most.
    """

    pass_id: str
    category: Category
    begins: int
    ends: int
    uses: int = 0
    doors: tuple[bytes, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class SignedPass:
    """A fixed pass that was read and not yet verified; `verify_pass` is next."""

    claim: PassClaim
    community: bytes
    key: int
    body: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RotatingCode:
    """A phone's code that was read and not yet verified; `verify_code` is next.

    Attributes:
        pass_id: 16 hex characters.
        step: Whole `STEP_S` since 1970 when the phone made it.
    """

    pass_id: str
    step: int
    community: bytes
    body: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PassKey:
    """A pass key's public part, and the time (Unix seconds) within which its passes lie."""

    public: Ed25519PublicKey
    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True)
class PassTrust:
    """What a reader of passes goes by.

    Attributes:
        fingerprint: SHA-256 of the community's root key.
        keys: The pass keys, by their number.
        revoked: Ids of passes that hold no longer, before their time is over.
    """

    fingerprint: bytes
    keys: Mapping[int, PassKey]
    revoked: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        community: str,
        root_public: bytes,
        certificates: Iterable[tuple[bytes, bytes]],
        revoked: Iterable[str] = (),
    ) -> "PassTrust":
        """Check certificates against their root.

        What counts is whether a pass lies within its key's time, not whether the key does today.

        Raises:
            CertificateRefused: one is not the root's for this community's passes.
        """
        try:
            root = Ed25519PublicKey.from_public_bytes(root_public)
        except ValueError as error:
            raise CertificateRefused("not a root key") from error
        keys = {}
        for data, signature in certificates:
            one = verify_certificate(
                data, signature, root, community=community, purpose="pass", now=None
            )
            number = key_number(one.key)
            keys[number] = PassKey(one.signing_key(), one.not_before, one.not_after)
        return cls(root_fingerprint(root_public), keys, frozenset(revoked))


NO_PASSES: Final = PassTrust(bytes(32), {})
"""Of an estate that makes none: every pass is another community's."""


def key_number(key: str) -> int:
    """Return the number by which passes name a key, from its id, which is hex.

    Raises:
        CertificateRefused: a pass key's id is not hex.
    """
    try:
        return int(key[:4], 16)
    except ValueError as error:
        raise CertificateRefused("a pass key has a hex id") from error


def door_tag(door: str) -> bytes:
    """Return the three bytes by which a claim names a door, from its id, which is hex."""
    return bytes.fromhex(door[: 2 * _TAG_SIZE])


def step_at(unix: float) -> int:
    """Return the number of the step that a time (Unix seconds) falls into."""
    return int(unix) // STEP_S


def read_pass(text: str) -> SignedPass | RotatingCode:
    """Read the text of a QR code: the one gate for what a camera sees.

    Raises:
        PassRefused: `not-a-pass`, some other code; `pass-malformed`, meant as one and damaged.
    """
    if len(text) > _LONGEST_TEXT:
        raise PassRefused("too long for a pass", code="not-a-pass")
    try:
        data = decode_base45(text)
    except ValueError as error:
        raise PassRefused("no pass is written like this", code="not-a-pass") from error
    kind = data[:1]
    if kind == bytes([FIXED]) and len(data) >= _HEAD.size:
        return _fixed(data)
    if kind == bytes([CODE]) and len(data) == _CODE.size + _SIGNATURE_SIZE:
        body, signature = data[: _CODE.size], data[_CODE.size :]
        _, community, pass_id, step = _CODE.unpack(body)
        return RotatingCode(pass_id.hex(), step, community, body, signature)
    raise PassRefused("some other code", code="not-a-pass")


def verify_pass(signed: SignedPass, trust: PassTrust) -> PassClaim:
    """Return what a fixed pass says, if the community says so.

    Whether it holds here and now is for the door's rules.

    Raises:
        PassRefused: `pass-foreign`, of another community; `pass-key-unknown`, made with a key
            that is not, or no longer, one of its; `pass-forged`.
    """
    _check_community(signed.community, trust)
    key = trust.keys.get(signed.key)
    claim = signed.claim
    if key is None or claim.begins < key.not_before or claim.ends > key.not_after:
        raise PassRefused("made with a key that does not hold", code="pass-key-unknown")
    try:
        key.public.verify(signed.signature, _FIXED_LABEL + trust.fingerprint + signed.body)
    except InvalidSignature as error:
        raise PassRefused("the community did not sign this", code="pass-forged") from error
    return claim


def verify_code(code: RotatingCode, phone_key: bytes, trust: PassTrust) -> None:
    """Check that the phone with this public key made a code for this community.

    Whether it is fresh is for whoever knows the time.

    Raises:
        PassRefused: `pass-foreign`, `pass-forged`.
    """
    _check_community(code.community, trust)
    numbers = (
        int.from_bytes(half, "big") for half in (code.signature[:_HALF], code.signature[_HALF:])
    )
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), phone_key).verify(
            encode_dss_signature(*numbers),
            _CODE_LABEL + trust.fingerprint + code.body,
            ec.ECDSA(SHA256()),
        )
    except (InvalidSignature, ValueError) as error:
        raise PassRefused("this phone did not sign this", code="pass-forged") from error


def build_pass(private: Ed25519PrivateKey, key: str, fingerprint: bytes, claim: PassClaim) -> bytes:
    """Sign a claim with the pass key whose id is `key`; return the pass, 86 to 98 bytes.

    Raises:
        PassRefused: `pass-malformed`, a reader would not take it.
    """
    minutes, odd = divmod(claim.ends - claim.begins, _MINUTE)
    if odd:
        raise PassRefused("a pass lasts whole minutes")
    kind = _CATEGORIES.index(claim.category) | len(claim.doors) << _DOORS_SHIFT
    try:
        head = _HEAD.pack(
            FIXED,
            fingerprint[:2],
            key_number(key),
            bytes.fromhex(claim.pass_id),
            kind | (_ALONE_BIT if claim.alone else 0),
            claim.begins,
            minutes.to_bytes(3, "big"),
            claim.uses,
        )
    except (struct.error, OverflowError) as error:
        raise PassRefused(f"a claim out of bounds: {error}") from error
    body = head + b"".join(claim.doors)
    data = body + private.sign(_FIXED_LABEL + fingerprint + body)
    _fixed(data)
    return data


def build_code(
    private: ec.EllipticCurvePrivateKey, fingerprint: bytes, pass_id: str, step: int
) -> bytes:
    """Make a phone's code, 79 bytes: for tests and for clients other than the page."""
    body = _CODE.pack(CODE, fingerprint[:2], bytes.fromhex(pass_id), step)
    numbers = decode_dss_signature(
        private.sign(_CODE_LABEL + fingerprint + body, ec.ECDSA(SHA256()))
    )
    return body + b"".join(number.to_bytes(_HALF, "big") for number in numbers)


def pass_text(data: bytes) -> str:
    """Return the text of the QR code for a pass or a code."""
    return encode_base45(data)


def phone_public(private: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a phone's public key as the roster carries it."""
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def phone_secret(private: ec.EllipticCurvePrivateKey, fingerprint: bytes, pass_id: str) -> bytes:
    """Return all that a phone needs to show codes, 137 bytes.

    Version, fingerprint, id, and the key's x, y and scalar: WebCrypto imports no key without all.
    """
    numbers = private.private_numbers()
    point = numbers.public_numbers
    parts = (point.x, point.y, numbers.private_value)
    key = b"".join(number.to_bytes(32, "big") for number in parts)
    return bytes([CODE]) + fingerprint + bytes.fromhex(pass_id) + key


def pass_fragment(data: bytes) -> str:
    """Return the fragment of a link that shows a pass: of a fixed pass or a `phone_secret`."""
    return encode_base64url(data)


def _check_community(community: bytes, trust: PassTrust) -> None:
    if community != trust.fingerprint[:2]:
        raise PassRefused("a pass of another community", code="pass-foreign")


def _fixed(data: bytes) -> SignedPass:
    _, community, key, pass_id, kind, begins, minutes, uses = _HEAD.unpack_from(data)
    doors, category = kind >> _DOORS_SHIFT, kind & 0b11
    size = _HEAD.size + doors * _TAG_SIZE
    if len(data) != size + _SIGNATURE_SIZE:
        raise PassRefused("a pass that was cut")
    tags = tuple(data[at : at + _TAG_SIZE] for at in range(_HEAD.size, size, _TAG_SIZE))
    length = int.from_bytes(minutes, "big") * _MINUTE
    alone = bool(kind & _ALONE_BIT)
    too_long = length > (LONGEST_ALONE_S if alone else LONGEST_S)
    if doors > MOST_DOORS or category >= len(_CATEGORIES) or not length or too_long:
        raise PassRefused("a pass with an impossible claim")
    claim = PassClaim(
        pass_id=pass_id.hex(),
        category=_CATEGORIES[category],
        begins=begins,
        ends=begins + length,
        uses=uses,
        doors=tags,
        alone=alone,
    )
    return SignedPass(claim, community, key, data[:size], data[size:])
