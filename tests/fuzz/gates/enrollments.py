"""What a browser sealed, once opened: `tier_link.envelopes.parse_enrollment`."""

from collections.abc import Sequence

from tests.fuzz.estate import BROWSER
from tests.fuzz.gate import Gate
from tests.tier_link.samples import COMMUNITY, ENVELOPE, KEY
from tier_link.envelopes import Particulars, Photo, parse_enrollment
from tier_link.errors import EnvelopeRefused


def one(data: bytes) -> None:
    opened = parse_enrollment(
        data, community=COMMUNITY, envelope=ENVELOPE, key=KEY, sealed_by="browser"
    )
    opened.verify_mac(BROWSER.invitation.auth)


def seeds() -> Sequence[bytes]:
    return [
        BROWSER.enrollment(photos=[Photo("front", b"front" * 4)]),
        BROWSER.enrollment(photos=[], alternative="pin", kind="visitor", guardian="Lin"),
        BROWSER.enrollment(photos=[], alternative="pin", particulars=Particulars(name="林")),
    ]


GATE = Gate(one, seeds, (EnvelopeRefused,))
