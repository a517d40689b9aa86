"""What a resident's page or a poster's sealed, once opened: `tier_link.visits.parse_request`."""

from collections.abc import Sequence
from typing import get_args

from tests.fuzz.estate import BROWSER, PHONE
from tests.fuzz.gate import Gate
from tests.fuzz.honest import samples
from tests.tier_link.samples import COMMUNITY, ENVELOPE, KEY, NOW
from tier_link.errors import EnvelopeRefused
from tier_link.sealing import sealing_public_bytes
from tier_link.visits import VisitAsked, build_request, parse_request


def one(data: bytes) -> None:
    request = parse_request(data, community=COMMUNITY, envelope=ENVELOPE, key=KEY)
    request.verify_mac(BROWSER.invitation.auth)
    request.is_stale(NOW)


def seeds() -> Sequence[bytes]:
    return [
        build_request(
            asked,
            auth=BROWSER.invitation.auth,
            community=COMMUNITY,
            envelope=ENVELOPE,
            key=KEY,
            language="zh-CN",
            sent_at=NOW,
            reply_key=sealing_public_bytes(PHONE),
        )
        for kind in get_args(VisitAsked)
        for asked in samples(kind, 1)
    ]


GATE = Gate(one, seeds, (EnvelopeRefused,))
