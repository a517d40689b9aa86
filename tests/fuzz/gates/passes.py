"""The text of a QR code, and what it claims: `tier_link.passes`."""

from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fuzz.estate import PHONE
from tests.fuzz.gate import Gate
from tests.support.passes import PassMaker
from tests.tier_link.samples import NOW
from tier_link.errors import PassRefused
from tier_link.passes import PassTrust, RotatingCode, read_pass, verify_code, verify_pass

MAKER: Final = PassMaker(
    NOW,
    root=Ed25519PrivateKey.from_private_bytes(b"\1" * 32),
    signer=Ed25519PrivateKey.from_private_bytes(b"\6" * 32),
    phone=PHONE,
)
_RULES: Final = MAKER.rules()
TRUST: Final = PassTrust.of(
    MAKER.community,
    _RULES.root,
    [(carried.certificate, carried.signature) for carried in _RULES.certificates],
)


def one(data: bytes) -> None:
    read = read_pass(data.decode("latin-1"))
    if isinstance(read, RotatingCode):
        verify_code(read, MAKER.phone_key, TRUST)
    else:
        verify_pass(read, TRUST)


def seeds() -> Sequence[bytes]:
    texts = (MAKER.fixed(), MAKER.fixed(doors=(b"\1\2\3", b"\4\5\6"), uses=3), MAKER.code())
    return [text.encode() for text in texts]


GATE = Gate(one, seeds, (PassRefused,), most=512)
