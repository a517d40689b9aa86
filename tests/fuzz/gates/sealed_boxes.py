"""A sealed box, opened with the community's key: `tier_link.sealing.open_sealed`."""

from collections.abc import Sequence

from tests.fuzz.estate import COMMUNITY
from tests.fuzz.gate import Gate
from tests.tier_link.samples import CONTEXT
from tier_link.errors import SealBroken
from tier_link.sealing import open_sealed, seal, sealing_public_bytes

_KEY = COMMUNITY.envelope_key


def seeds() -> Sequence[bytes]:
    return [seal(sealing_public_bytes(_KEY), text, CONTEXT) for text in (b"", b"\x80" * 5000)]


GATE = Gate(lambda data: open_sealed(_KEY, data, CONTEXT), seeds, (SealBroken,), most=20_000)
