"""A certificate that the root signed, whatever it says: `tier_link.certificates`."""

from collections.abc import Sequence

from tests.fuzz.estate import COMMUNITY as COURT
from tests.fuzz.gate import Gate
from tests.tier_link.samples import COMMUNITY, NOW
from tier_link import certificates
from tier_link.certificates import uncarry_certificate, verify_certificate
from tier_link.errors import CertificateRefused


def one(data: bytes) -> None:
    signature = COURT.root.sign(certificates._LABEL + data)
    certificate = verify_certificate(
        data, signature, COURT.root.public_key(), community=COMMUNITY, purpose="reply", now=NOW
    )
    certificate.signing_key()


def seeds() -> Sequence[bytes]:
    return [uncarry_certificate(COURT.certify("reply"))[0]]


GATE = Gate(one, seeds, (CertificateRefused,))
