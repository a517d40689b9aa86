"""Certificates: the community's root key vouches for its short-lived keys.

A certificate is a small JSON object, carried and signed verbatim (Ed25519, RFC 8032), so that
nobody has to agree on how to write JSON. It names the community and the one purpose the key
is for.
"""

import hashlib
from typing import Annotated, Final, Literal, TypeAlias, get_args

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta

from tier_link.base64url import decode_base64url, encode_base64url
from tier_link.errors import CertificateRefused
from tier_link.messages import PeerId, UnixSeconds
from tier_link.sealing import is_sealing_public_key

Purpose: TypeAlias = Literal["envelope", "reply", "roster", "pass", "receipt"]
KeyId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
SIGNATURE_SIZE: Final = 64
MAX_CERTIFICATE: Final = 1024
"""Bytes of a certificate's JSON: about 300 are used."""
CLOCK_DRIFT: Final = 300
"""Seconds by which a reader's clock may run behind the signer's before a certificate is early."""

_LABEL = b"gatehouse/certificate/1\0"
_ED25519_KEY_SIZE = 32


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One certified key.

    `public` is base64url: an uncompressed P-256 point (65 bytes) for `envelope`, an Ed25519
    key (32 bytes) for every other purpose. Times are Unix seconds; `not_after` is the first
    second at which the certificate no longer holds.
    """

    version: Literal[1]
    community: PeerId
    purpose: Purpose
    key: KeyId
    public: Annotated[str, Meta(max_length=128)]
    not_before: UnixSeconds
    not_after: UnixSeconds

    @property
    def public_bytes(self) -> bytes:
        """The certified key, raw."""
        return decode_base64url(self.public)

    def signing_key(self) -> Ed25519PublicKey:
        """The certified key as Ed25519; for every purpose but `envelope`."""
        return Ed25519PublicKey.from_public_bytes(self.public_bytes)


class SignedCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate as JSON carries it: both fields are base64url."""

    certificate: Annotated[str, Meta(max_length=2 * MAX_CERTIFICATE)]
    signature: Annotated[str, Meta(max_length=2 * SIGNATURE_SIZE)]


_decoder = msgspec.json.Decoder(Certificate)


def root_public_bytes(root: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """Return a root's public key as 32 raw bytes."""
    public = root.public_key() if isinstance(root, Ed25519PrivateKey) else root
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def root_fingerprint(root_public: bytes) -> bytes:
    """Return the SHA-256 of the root's raw public key."""
    return hashlib.sha256(root_public).digest()


def load_root(root_public: bytes, fingerprint: bytes) -> Ed25519PublicKey:
    """Return the root key if it is the one that `fingerprint` names.

    Raises:
        CertificateRefused: `root-mismatch`.
    """
    if len(root_public) != _ED25519_KEY_SIZE or root_fingerprint(root_public) != fingerprint:
        raise CertificateRefused(
            "the community's key is not the one this invitation names", code="root-mismatch"
        )
    return Ed25519PublicKey.from_public_bytes(root_public)


def build_certificate(
    root: Ed25519PrivateKey,
    *,
    community: str,
    purpose: Purpose,
    key: str,
    public: bytes,
    not_before: int,
    not_after: int,
) -> tuple[bytes, bytes]:
    """Certify a key; return the certificate's JSON and its signature (64 bytes).

    Raises:
        CertificateRefused: the fields would not pass `verify_certificate`.
    """
    certificate = Certificate(
        version=1,
        community=community,
        purpose=purpose,
        key=key,
        public=encode_base64url(public),
        not_before=not_before,
        not_after=not_after,
    )
    data = msgspec.json.encode(certificate)
    _parse(data)
    return data, root.sign(_LABEL + data)


def verify_certificate(
    data: bytes,
    signature: bytes,
    root_public: Ed25519PublicKey,
    *,
    community: str,
    purpose: Purpose,
    now: int | None,
) -> Certificate:
    """Return the certificate if the root signed it for this community, purpose and time.

    `now` is in Unix seconds; None where the certificate is held against another time than this.

    Raises:
        CertificateRefused: with the code that says why.
    """
    try:
        root_public.verify(signature, _LABEL + data)
    except InvalidSignature as error:
        raise CertificateRefused(
            "the community's root did not sign this certificate", code="certificate-forged"
        ) from error
    certificate = _parse(data)
    if certificate.community != community:
        raise CertificateRefused(
            "a certificate of another community", code="certificate-other-community"
        )
    if certificate.purpose != purpose:
        raise CertificateRefused(
            f"a certificate for {certificate.purpose}, not for {purpose}",
            code="certificate-other-purpose",
        )
    if now is None:
        return certificate
    if now < certificate.not_before - CLOCK_DRIFT:
        raise CertificateRefused(
            "the certificate does not hold yet", code="certificate-not-yet-valid"
        )
    if now >= certificate.not_after:
        raise CertificateRefused("the certificate has expired", code="certificate-expired")
    return certificate


def carry_certificate(data: bytes, signature: bytes) -> SignedCertificate:
    """Wrap a certificate for JSON."""
    return SignedCertificate(encode_base64url(data), encode_base64url(signature))


def uncarry_certificate(carried: SignedCertificate) -> tuple[bytes, bytes]:
    """Unwrap a certificate from JSON; verify it next.

    Raises:
        CertificateRefused: not base64url.
    """
    try:
        return decode_base64url(carried.certificate), decode_base64url(carried.signature)
    except ValueError as error:
        raise CertificateRefused("a certificate's text is damaged") from error


def _parse(data: bytes) -> Certificate:
    if len(data) > MAX_CERTIFICATE:
        raise CertificateRefused(f"a certificate of {len(data)} bytes")
    try:
        certificate = _decoder.decode(data)
        public = certificate.public_bytes
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise CertificateRefused(f"not a certificate: {error}") from error
    fits = (
        is_sealing_public_key(public)
        if certificate.purpose == "envelope"
        else len(public) == _ED25519_KEY_SIZE
    )
    if not fits or certificate.not_after <= certificate.not_before:
        raise CertificateRefused("a certificate with an impossible key or span of time")
    return certificate
