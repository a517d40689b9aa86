"""Receipts: what the community states that it has destroyed, to be checked years later, offline.

A receipt is JSON, signed verbatim by a key that the community's root certified for receipts. It
travels as one block of text that carries signature, certificate and root key::

    -----BEGIN GATEHOUSE RECEIPT-----
    base64url, in lines
    -----END GATEHOUSE RECEIPT-----

What stands around the block is for people to read and is not signed. A receipt proves that the
community *stated* something, and when; whether it did so is beyond any signature.

The format grows by one rule: new fields go last and have defaults; any other change takes a new
tag, and a tag is never used for something else.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from tier_link.base64url import decode_base64url, encode_base64url
from tier_link.certificates import (
    SignedCertificate,
    load_root,
    root_fingerprint,
    uncarry_certificate,
    verify_certificate,
)
from tier_link.envelopes import MAX_PHOTOS, Sha256Hex
from tier_link.errors import ReceiptRefused
from tier_link.messages import HexId, PeerId, UnixSeconds
from tier_link.relay_messages import ConsentId, ConsentVersion, Language

MAX_FILE: Final = 512 * 1024
"""Bytes of a file that may hold a receipt: one of a thousand doors needs half."""
MOST_DOORS: Final = 1000
MOST_CONSENTS: Final = 16
MOST_BACKUP_DAYS: Final = 3650

_LABEL: Final = b"gatehouse/receipt/1\0"
_BEGIN: Final = "-----BEGIN GATEHOUSE RECEIPT-----"
_END: Final = "-----END GATEHOUSE RECEIPT-----"
_LINE: Final = 64

DoorState: TypeAlias = Literal["confirmed", "lease-ended", "waiting"]
"""What a door has come to: it proved that it holds a roster without what was erased; its lease ran
out and it was not heard of; neither yet."""
Kept: TypeAlias = Literal["person", "face"]
SpaceName: TypeAlias = Annotated[str, Meta(max_length=128)]
_Name: TypeAlias = Annotated[str, Meta(max_length=100)]


class AgreedText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent as it was given: which text, its hash, and the text itself.

    `text` is empty where the estate does not have that version any more. `by` says whether a
    guardian agreed, for somebody under 14.
    """

    id: ConsentId
    version: ConsentVersion
    language: Language
    sha256: Sha256Hex
    given_at: UnixSeconds
    text: Annotated[str, Meta(max_length=20_000)] = ""
    by: Literal["person", "guardian"] = "person"


class _Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="what"):
    pass


class PhotosDestroyed(_Stated, frozen=True, tag="photos-destroyed"):
    """The photos of one enrollment exist no more at the estate.

    `template_space` is the one of the template that was made from them and kept, empty where none
    was kept. `agreed` is what the person had agreed to.
    """

    envelope: HexId
    photos: Annotated[int, Meta(ge=1, le=MAX_PHOTOS)]
    template_space: SpaceName
    agreed: Annotated[tuple[AgreedText, ...], Meta(max_length=MOST_CONSENTS)] = ()


class DoorTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one door; `at` is Unix seconds, 0 while it is waited for."""

    door: HexId
    name: _Name
    state: DoorState
    at: UnixSeconds


class Erased(_Stated, frozen=True, tag="erased"):
    """A person, or their face alone, was erased at the server at `erased_at` (Unix seconds).

    `template_space` is the one of the template that was erased, empty where there was none.
    `backup_days` is for how many days from then on a copy of the server's data may yet hold it.
    `doors` are all that held it, or may have.
    """

    person: HexId
    kept: Kept
    erased_at: UnixSeconds
    template_space: SpaceName
    backup_days: Annotated[int, Meta(ge=0, le=MOST_BACKUP_DAYS)]
    doors: Annotated[tuple[DoorTold, ...], Meta(max_length=MOST_DOORS)] = ()

    @property
    def complete(self) -> bool:
        """Whether no door is waited for any more."""
        return all(door.state != "waiting" for door in self.doors)


Stated: TypeAlias = PhotosDestroyed | Erased


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a community (by its id and the name it had) stated at `signed_at` (Unix seconds)."""

    version: Literal[1]
    community: PeerId
    name: _Name
    signed_at: UnixSeconds
    stated: Stated


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    receipt: Annotated[str, Meta(max_length=MAX_FILE)]
    signature: Annotated[str, Meta(max_length=128)]
    certificate: Annotated[str, Meta(max_length=2048)]
    certificate_signature: Annotated[str, Meta(max_length=128)]
    root: Annotated[str, Meta(max_length=64)]


@dataclass(frozen=True, slots=True)
class OpenedReceipt:
    """A receipt whose signature holds, the fingerprint (32 bytes) of the root, and the key's id."""

    receipt: Receipt
    fingerprint: bytes
    key: str


def sign_receipt(
    receipt: Receipt,
    *,
    signing_key: Ed25519PrivateKey,
    certificate: SignedCertificate,
    root_public: bytes,
) -> str:
    """Sign a receipt with the certified key; return the block.

    `root_public` is the root's raw public key (32 bytes).

    Raises:
        ReceiptRefused: `receipt-malformed`, the fields are out of bounds.
    """
    data = msgspec.json.encode(receipt)
    _parse(data)
    signed = _Signed(
        receipt=data.decode(),
        signature=encode_base64url(signing_key.sign(_LABEL + data)),
        certificate=certificate.certificate,
        certificate_signature=certificate.signature,
        root=encode_base64url(root_public),
    )
    text = encode_base64url(msgspec.json.encode(signed))
    lines = (text[at : at + _LINE] for at in range(0, len(text), _LINE))
    return "\n".join([_BEGIN, *lines, _END, ""])


def open_receipt(file: bytes, fingerprint: bytes | None = None) -> OpenedReceipt:
    """Find the one receipt in a file and check that a community's root vouches for it.

    `fingerprint` is the root's (32 bytes) where it is known; without it nobody says whose root it
    is. The certificate has to have held when the receipt was signed: receipts are kept for years.

    Raises:
        ReceiptRefused: `receipt-missing`, `receipt-malformed`, `receipt-forged`,
            `receipt-other-root`.
        CertificateRefused: signed by a key that the root did not certify for receipts, then.
    """
    signed = _read(file)
    try:
        root, signature = decode_base64url(signed.root), decode_base64url(signed.signature)
    except ValueError as error:
        raise ReceiptRefused("a receipt with damaged keys") from error
    found = root_fingerprint(root)
    if fingerprint is not None and found != fingerprint:
        raise ReceiptRefused("the receipt is of another community", code="receipt-other-root")
    data = signed.receipt.encode()
    receipt = _parse(data)
    carried = SignedCertificate(signed.certificate, signed.certificate_signature)
    certificate = verify_certificate(
        *uncarry_certificate(carried),
        load_root(root, found),
        community=receipt.community,
        purpose="receipt",
        now=receipt.signed_at,
    )
    try:
        certificate.signing_key().verify(signature, _LABEL + data)
    except InvalidSignature as error:
        raise ReceiptRefused("the community did not sign this", code="receipt-forged") from error
    return OpenedReceipt(receipt, found, certificate.key)


def _read(file: bytes) -> _Signed:
    if len(file) > MAX_FILE:
        raise ReceiptRefused(f"a file of {len(file)} bytes is no receipt")
    try:
        text = file.decode()
    except UnicodeDecodeError as error:
        raise ReceiptRefused("no text, and so no receipt", code="receipt-missing") from error
    if text.count(_BEGIN) != 1:
        raise ReceiptRefused("not exactly one receipt in this file", code="receipt-missing")
    block, end, _ = text.partition(_BEGIN)[2].partition(_END)
    if not end:
        raise ReceiptRefused("a receipt that was cut short")
    try:
        return msgspec.json.decode(decode_base64url("".join(block.split())), type=_Signed)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ReceiptRefused(f"not a receipt: {error}") from error


def _parse(data: bytes) -> Receipt:
    try:
        receipt = msgspec.json.decode(data, type=Receipt)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ReceiptRefused(f"not a receipt: {error}") from error
    for agreed in _agreed(receipt):
        if agreed.text and hashlib.sha256(agreed.text.encode()).hexdigest() != agreed.sha256:
            raise ReceiptRefused("a consent whose text does not bear its hash")
    return receipt


def _agreed(receipt: Receipt) -> Iterator[AgreedText]:
    if isinstance(receipt.stated, PhotosDestroyed):
        yield from receipt.stated.agreed
