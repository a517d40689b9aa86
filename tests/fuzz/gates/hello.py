"""Frames before anybody has proven anything, on both sides: `tier_link.handshake`.

The first byte says which side takes them; the frames follow as at the gate `link`.
"""

from collections.abc import Sequence

from tests.fuzz.gate import Gate
from tests.fuzz.gates.link import split
from tests.tier_link.pairs import Pair
from tier_link.errors import PeerRefused
from tier_link.events import Greeted
from tier_link.messages import Hello, encode_frame


def one(data: bytes) -> None:
    pair = Pair()
    core = pair.door if data[:1] == b"d" else pair.server
    for number, frame in enumerate(split(data[1:])):
        event = core.receive(frame, float(number))
        assert not core.connected, "nobody proved anything"
        if isinstance(event, Greeted):
            pair.welcome()


def seeds() -> Sequence[bytes]:
    hello = encode_frame(Hello(1, "d00f", 100, 0, 0, bytes(32)))
    return [b"s" + len(hello).to_bytes(2) + hello, b"d"]


GATE = Gate(one, seeds, (PeerRefused,), most=2048)
