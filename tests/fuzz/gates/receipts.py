"""A receipt that somebody brings: `tier_link.receipts.open_receipt`.

The first byte says how far a forger got: `f` writes the file, `r` a receipt that the
community signed.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tests.fuzz.estate import COMMUNITY as COURT
from tests.fuzz.estate import ROOT_PUBLIC
from tests.fuzz.gate import Gate
from tests.fuzz.honest import samples
from tests.tier_link.samples import COMMUNITY, NOW
from tier_link import receipts
from tier_link.base64url import encode_base64url
from tier_link.errors import CertificateRefused, ReceiptRefused
from tier_link.receipts import Receipt, open_receipt

_CERTIFICATE: Final = COURT.certify("receipt")


def block(text: str) -> bytes:
    """Sign whatever text as if it were a receipt."""
    signed = receipts._Signed(
        receipt=text,
        signature=encode_base64url(COURT.reply_signer.sign(receipts._LABEL + text.encode())),
        certificate=_CERTIFICATE.certificate,
        certificate_signature=_CERTIFICATE.signature,
        root=encode_base64url(ROOT_PUBLIC),
    )
    lines = (receipts._BEGIN, encode_base64url(msgspec.json.encode(signed)), receipts._END)
    return "\n".join(lines).encode()


def one(data: bytes) -> None:
    if data[:1] == b"r":
        open_receipt(block(data[1:].decode("utf-8", "replace")), COURT.fingerprint)
    else:
        open_receipt(data[1:])


def seeds() -> Sequence[bytes]:
    made = [
        msgspec.structs.replace(one, community=COMMUNITY, signed_at=NOW + 1)
        for one in samples(Receipt, 20)
    ]
    texts = [msgspec.json.encode(receipt).decode() for receipt in made]
    whole = [text for text in texts if '"sha256"' not in text][:4]
    return [*(b"r" + text.encode() for text in whole), b"f" + block(whole[0])]


GATE = Gate(one, seeds, (ReceiptRefused, CertificateRefused), most=8192)
