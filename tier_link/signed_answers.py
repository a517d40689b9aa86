"""How the community answers a browser: signed by a certified key, sealed to the browser's own.

What is sealed is JSON that carries the answer's JSON verbatim (base64url), the signature of the
community's reply key over a label and those bytes, and that key's certificate. Each kind of
answer has a purpose of its own, which the seal and the label both name, so that none can stand
for another.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from tier_link.base64url import decode_base64url, encode_base64url
from tier_link.certificates import SignedCertificate, uncarry_certificate, verify_certificate
from tier_link.errors import ReplyRefused
from tier_link.sealing import SealContext, open_sealed, seal

MAX_ANSWER: Final = 128 * 1024
"""Characters of an answer in base64url: a home with its fullest list of visits, and a receipt."""

EVEN_LENGTH: Final = 4 * 1024
"""Bytes that a reply is filled up to. With a receipt it is longer than one without; filled up, both
take the same padded size, and the relay does not learn by it how an enrollment ended."""

AnswerPurpose: TypeAlias = Literal["reply", "visit-answer"]


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """What an answer answers: the `number`-th to this envelope of this community's."""

    purpose: AnswerPurpose
    community: str
    envelope: str
    number: int

    @property
    def context(self) -> SealContext:
        """What the box is for."""
        return SealContext(self.community, self.purpose, self.envelope, f"reply-{self.number}")

    @property
    def label(self) -> bytes:
        """What the signature covers beside the answer."""
        return f"gatehouse/{self.purpose}/1\0".encode()

    def check(self, community: str, envelope: str, number: int) -> None:
        """Check that the signed words are about this place.

        Raises:
            ReplyRefused: `reply-other-community`, `reply-other-envelope`, `reply-other-number`.
        """
        for found, expected, code in (
            (community, self.community, "reply-other-community"),
            (envelope, self.envelope, "reply-other-envelope"),
            (number, self.number, "reply-other-number"),
        ):
            if found != expected:
                raise ReplyRefused("a reply to something else", code=code)


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reply: Annotated[str, Meta(max_length=MAX_ANSWER)]
    signature: Annotated[str, Meta(max_length=128)]
    certificate: Annotated[str, Meta(max_length=2048)]
    certificate_signature: Annotated[str, Meta(max_length=128)]


def seal_signed(
    answer: bytes,
    place: AnswerPlace,
    *,
    reply_key: bytes,
    signing_key: Ed25519PrivateKey,
    certificate: SignedCertificate,
) -> bytes:
    """Sign an answer's bytes with the certified key and seal them to `reply_key` (65 bytes).

    Raises:
        ReplyRefused: `reply-malformed`, longer than any answer.
        ValueError: `reply_key` is not a key.
    """
    signed = _Signed(
        reply=encode_base64url(answer),
        signature=encode_base64url(signing_key.sign(place.label + answer)),
        certificate=certificate.certificate,
        certificate_signature=certificate.signature,
    )
    if len(signed.reply) > MAX_ANSWER:
        raise ReplyRefused("longer than any answer")
    plaintext = msgspec.json.encode(signed)
    if place.purpose == "reply":
        plaintext = plaintext.ljust(EVEN_LENGTH)  # blanks, which JSON may end with
    return seal(reply_key, plaintext, place.context)


def open_signed(
    private_key: ec.EllipticCurvePrivateKey,
    sealed: bytes,
    place: AnswerPlace,
    *,
    root_public: Ed25519PublicKey,
    now: int,
) -> bytes:
    """Open an answer, check that the community wrote it, and return its bytes.

    `root_public` comes from `tier_link.certificates.load_root`; `now` is Unix seconds.

    Raises:
        SealBroken: not sealed to this key for this place.
        CertificateRefused: signed by a key the root did not certify for replies.
        ReplyRefused: malformed or forged.
    """
    plaintext = open_sealed(private_key, sealed, place.context)
    try:
        signed = msgspec.json.decode(plaintext, type=_Signed)
        data, signature = decode_base64url(signed.reply), decode_base64url(signed.signature)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ReplyRefused(f"not a signed reply: {error}") from error
    carried = SignedCertificate(signed.certificate, signed.certificate_signature)
    certificate = verify_certificate(
        *uncarry_certificate(carried),
        root_public,
        community=place.community,
        purpose="reply",
        now=now,
    )
    try:
        certificate.signing_key().verify(signature, place.label + data)
    except InvalidSignature as error:
        raise ReplyRefused("the community did not sign this reply", code="reply-forged") from error
    return data
