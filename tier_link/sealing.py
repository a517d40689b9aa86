"""Sealing to one reader: HPKE (RFC 9180) in base mode with padded sizes.

The suite is DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, because every browser's
WebCrypto has P-256. A sealed box is `enc (65 bytes) || ciphertext || tag (16 bytes)`. What
the box is for goes into HPKE's `info`, so that it opens in no other place.

The plaintext is padded (ISO/IEC 7816-4: `0x80`, then zeros) to the smallest of a few sizes,
so that a box's length tells little about what is in it.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tier_link.errors import SealBroken

SUITE_NAME: Final = "hpke-p256-sha256-aes256gcm"
"""Names the suite wherever a sealed box travels, so that another one can follow."""

SEAL_OVERHEAD: Final = 65 + 16
"""Bytes that HPKE adds: an uncompressed P-256 point and the AES-GCM tag."""

_KIB = 1024
PADDED_SIZES: Final = tuple(size * _KIB for size in (4, 16, 64, 128, 256, 512, 1024, 2048, 4096))
"""Sizes a plaintext is padded to: few, so that a size is shared by many."""

MAX_PLAINTEXT: Final = PADDED_SIZES[-1] - 1
"""Longest plaintext in bytes: one byte of padding always fits."""

PUBLIC_KEY_SIZE: Final = 65
"""Bytes of a public key: an uncompressed P-256 point."""

_MAX_CONTEXT_FIELD = 128  # ids are far shorter; the bound keeps `info` small

_SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class SealContext:
    """What a box is for; sealer and opener must agree on all of it.

    `purpose` is `enrollment` or `visit`, where `key` is the id of the envelope key, or `reply` or
    `visit-answer`, where it is `reply-<number>` and `envelope` the id of the envelope answered.
    Raises `ValueError` for an empty field, one with a NUL, or one over 128 characters.
    """

    community: str
    purpose: str
    envelope: str
    key: str

    def __post_init__(self) -> None:
        for field in (self.community, self.purpose, self.envelope, self.key):
            if not field or "\0" in field or len(field) > _MAX_CONTEXT_FIELD:
                raise ValueError("a seal's context needs short, non-empty ids without NUL")

    def info(self) -> bytes:
        """Return HPKE's `info`: a label, then each field behind a NUL, in UTF-8."""
        fields = (self.community, self.purpose, self.envelope, self.key)
        return b"gatehouse/seal/1" + b"".join(b"\0" + field.encode() for field in fields)


def new_sealing_key() -> ec.EllipticCurvePrivateKey:
    """Make a private key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def sealing_public_bytes(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key as an uncompressed point of 65 bytes."""
    return private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def is_sealing_public_key(public_key: bytes) -> bool:
    """Say whether these bytes are an uncompressed point on P-256."""
    try:
        _load_public(public_key)
    except ValueError:
        return False
    return True


def is_sealed_size(size: int) -> bool:
    """Say whether a sealed box can have this many bytes."""
    return size - SEAL_OVERHEAD in PADDED_SIZES


def seal(public_key: bytes, plaintext: bytes, context: SealContext) -> bytes:
    """Seal `plaintext` (at most `MAX_PLAINTEXT` bytes) to a 65-byte public key.

    Raises:
        ValueError: the key is not a point on P-256 or the plaintext is too long.
    """
    return _SUITE.encrypt(_pad(plaintext), _load_public(public_key), info=context.info())


def open_sealed(
    private_key: ec.EllipticCurvePrivateKey, sealed: bytes, context: SealContext
) -> bytes:
    """Open a sealed box and remove its padding.

    Raises:
        SealBroken: altered, cut short, sealed to another key or for another context, or
            padded in another way than `seal` pads.
    """
    if not is_sealed_size(len(sealed)):
        raise SealBroken(f"no sealed box has {len(sealed)} bytes")
    try:
        padded = _SUITE.decrypt(sealed, private_key, info=context.info())
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the box does not open with this key in this context") from error
    plaintext = padded.rstrip(b"\0")
    if not plaintext.endswith(b"\x80") or _padded_size(len(plaintext) - 1) != len(padded):
        raise SealBroken("the box opens, but its padding is wrong")
    return plaintext[:-1]


def _load_public(public_key: bytes) -> ec.EllipticCurvePublicKey:
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise ValueError("a public key for sealing is an uncompressed P-256 point of 65 bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)


def _padded_size(length: int) -> int:
    for size in PADDED_SIZES:
        if length < size:
            return size
    raise ValueError(f"{length} bytes do not fit; at most {MAX_PLAINTEXT}")


def _pad(plaintext: bytes) -> bytes:
    return (plaintext + b"\x80").ljust(_padded_size(len(plaintext)), b"\0")
