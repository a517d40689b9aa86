"""Frames that a paired peer sends after the handshake: `tier_link.protocol.LinkCore`.

An input is frames, each behind its length of two bytes. The core holds at no time more than a link
may hold, whatever comes.
"""

from collections.abc import Iterator, Sequence

from tests.fuzz.gate import Gate
from tests.tier_link.pairs import Pair
from tier_link.errors import PeerRefused
from tier_link.events import RecordArrived, RequestArrived
from tier_link.messages import (
    MAX_RECORD,
    PART_SIZE,
    Acknowledge,
    Latest,
    Record,
    Request,
    Response,
    encode_frame,
)
from tier_link.protocol import (
    MAX_LATEST_KINDS,
    MAX_REQUESTS,
    WINDOW_BYTES,
    WINDOW_RECORDS,
    LinkCore,
)

_LENGTH = 2


def one(data: bytes) -> None:
    pair = Pair()
    pair.shake_hands()
    core = pair.server
    core.request("match", b"who", 5.0, 0.0)
    for number, frame in enumerate(split(data)):
        event = core.receive(frame, number / 10)
        if isinstance(event, RequestArrived) and number % 2:
            core.respond(event.number, "", event.body, number / 10)
        if isinstance(event, RecordArrived) and number % 3:
            core.acknowledge(event.record.sequence)
        check(core)
        core.next_frame(number / 10)


def check(core: LinkCore) -> None:
    """Hold a core against the limits that `docs/link.md` states."""
    held = sum(map(len, core._parts)) + sum(size for _, size in core._to_apply)
    assert held <= WINDOW_BYTES + MAX_RECORD
    assert len(core._parts) <= MAX_RECORD // PART_SIZE
    assert len(core._to_apply) <= WINDOW_RECORDS
    assert len(core._asked) <= MAX_REQUESTS
    assert len(core._urgent) <= MAX_REQUESTS + 1
    assert len(core._latest_kinds) <= MAX_LATEST_KINDS


def split(data: bytes) -> Iterator[bytes]:
    """Yield the frames of an input."""
    at = 0
    while at + _LENGTH <= len(data):
        length = int.from_bytes(data[at : at + _LENGTH])
        yield data[at + _LENGTH : at + _LENGTH + length]
        at += _LENGTH + length


def joined(*frames: Acknowledge | Latest | Record | Request | Response) -> bytes:
    """Write frames as an input."""
    written = [encode_frame(frame) for frame in frames]
    return b"".join(len(frame).to_bytes(_LENGTH) + frame for frame in written)


def seeds() -> Sequence[bytes]:
    part = bytes(PART_SIZE)
    return [
        joined(Request(1, "match", b"face", 500), Request(2, "match", b"face", 1)),
        joined(
            Record(1, "entry", part, more=True), Record(1, "entry", b"end"), Record(2, "a", b"")
        ),
        joined(Latest("health", b"1"), Response(1, "", b"yes"), Acknowledge(100, 0)),
    ]


GATE = Gate(one, seeds, (PeerRefused,), most=80_000)
