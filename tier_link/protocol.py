"""The link's protocol: bytes in, events out; calls in, bytes to send out.

No input or output, no clock, no threads: a driver (`tier_link.channel`) carries the bytes and
passes in a monotonic time. Either side of a link runs a `LinkCore`.

After the handshake (`tier_link.handshake`) each side sends what is most urgent first: answers
and questions, then an acknowledgement, then latest values, then the next part of the durable
log.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from tier_link.errors import MalformedMessage, PeerRefused, RequestFailed
from tier_link.events import (
    Connected,
    DurableRecord,
    Event,
    LatestArrived,
    Marks,
    NodeIdentity,
    RecordArrived,
    RecordsAcknowledged,
    RequestAnswered,
    RequestArrived,
)
from tier_link.handshake import CLOSE_BAD_PROOF, CLOSE_OVERRUN, Handshake, Side, malformed, refuse
from tier_link.messages import (
    MAX_BODY,
    MAX_DEADLINE_MS,
    MAX_RECORD,
    PART_SIZE,
    Acknowledge,
    Hello,
    Latest,
    Record,
    Request,
    Response,
    decode_frame,
    encode_frame,
)

WINDOW_RECORDS: Final = 64
"""Durable records under way and unacknowledged."""
WINDOW_BYTES: Final = 1024 * 1024
"""Bytes under way after which no further record is begun; one larger record fits always."""
MAX_REQUESTS: Final = 64
"""Requests under way in each direction: enough for a busy door, bounded for a mad one."""
MAX_LATEST_KINDS: Final = 16
"""Kinds of latest value in each direction: each may hold one body in memory."""


@dataclass(slots=True)
class _Outgoing:
    """A record being cut into parts."""

    record: DurableRecord
    sent: int = 0


class LinkCore:
    """One side of one connection. Not thread-safe.

    Useless after it raised, but for one last frame: see `tier_link.handshake.Handshake.parting`.

    Args:
        side: Who dialed.
        identity: Our node and key.
        nonce: 32 fresh random bytes.
    """

    def __init__(self, side: Side, identity: NodeIdentity, nonce: bytes) -> None:
        self._handshake = Handshake(side, identity, nonce)
        self._peer_epoch = 0
        self.connected = False

        self._urgent: deque[Hello | Request | Response] = deque()
        self._deadlines: dict[int, float] = {}  # our requests without an answer yet
        self._next_request = 1
        self._asked: dict[int, float] = {}  # the peer's requests without an answer yet
        self._last_asked = 0
        self._latest: dict[str, bytes] = {}
        self._latest_kinds: set[str] = set()  # that have come in

        self._outgoing: deque[_Outgoing] = deque()
        self._in_flight: deque[tuple[int, int]] = deque()  # (sequence, bytes), unacknowledged
        self._last_offered = 0
        self._last_sent = 0
        self._acknowledge: int | None = None

        self._parts: list[bytes] = []
        self._parts_of: tuple[int, str] | None = None
        self._last_arrived = 0
        self._to_apply: deque[tuple[int, int]] = deque()  # arrived, not yet acknowledged

    def dial(self, peer: str, peer_key: Ed25519PublicKey, marks: Marks) -> None:
        """Dialer: begin with a Hello to `peer`."""
        self._urgent.append(self._handshake.dial(peer, peer_key, marks))

    def welcome(self, peer_key: Ed25519PublicKey | None, marks: Marks) -> None:
        """Acceptor: answer a `Greeted`. No key means the peer is unknown or revoked.

        Raises:
            PeerRefused: `unknown-peer`.
        """
        self._urgent.append(self._handshake.welcome(peer_key, marks))

    def _take_hello(self, frame: Hello) -> Event:
        try:
            event, answer = self._handshake.take(frame)
        except PeerRefused as refusal:
            parting = self._handshake.parting() if refusal.code == "lower-epoch" else None
            if parting is not None:
                self._urgent.append(parting)
            raise
        if answer is not None:
            self._urgent.append(answer)
        if isinstance(event, Connected):
            self.connected = True
            self._peer_epoch = event.peer_epoch
            self._last_offered = self._last_sent = event.resume_after
        return event

    # -- bytes in ----------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> Event | None:
        """Take one frame; return what it means, or None when nothing need be done.

        Raises:
            PeerRefused: close the connection with its `close_code`.
        """
        try:
            frame = decode_frame(data)
        except MalformedMessage as error:
            raise malformed(str(error)) from error
        if isinstance(frame, Hello):
            return self._take_hello(frame)
        if not self.connected:
            raise refuse("no hello first", "bad-proof", CLOSE_BAD_PROOF)
        match frame:
            case Request():
                return self._take_request(frame, now)
            case Response():
                return self._take_response(frame)
            case Latest():
                return self._take_latest(frame)
            case Record():
                return self._take_part(frame)
            case Acknowledge():
                return self._take_acknowledge(frame)

    def _take_request(self, frame: Request, now: float) -> Event | None:
        if frame.number <= self._last_asked:
            raise malformed("a request number came twice")
        self._last_asked = frame.number
        if len(self._asked) >= MAX_REQUESTS:
            self._urgent.append(Response(frame.number, "busy"))
            return None
        deadline = self._asked[frame.number] = now + frame.deadline_ms / 1000
        return RequestArrived(frame.number, frame.kind, frame.body, deadline)

    def _take_response(self, frame: Response) -> Event | None:
        if frame.number >= self._next_request:
            raise malformed("an answer to a question never asked")
        if self._deadlines.pop(frame.number, None) is None:
            return None  # its deadline has passed
        return RequestAnswered(frame.number, frame.code, frame.body)

    def _take_latest(self, frame: Latest) -> Event:
        self._latest_kinds.add(frame.kind)
        if len(self._latest_kinds) > MAX_LATEST_KINDS:
            raise refuse("too many kinds of latest value", "overrun", CLOSE_OVERRUN)
        return LatestArrived(frame.kind, frame.body)

    def _take_part(self, frame: Record) -> Event | None:
        continues = self._parts_of == (frame.sequence, frame.kind)
        if self._parts_of is not None and not continues:
            raise malformed("a record was broken off by another")
        if not continues and frame.sequence <= self._last_arrived:
            raise malformed("records went backwards")
        if frame.more and len(frame.body) != PART_SIZE:
            # Else a record could come in parts without end that hold nothing, each counted anew.
            raise malformed("a part that another follows is full")
        self._parts_of = (frame.sequence, frame.kind)
        self._last_arrived = frame.sequence
        self._parts.append(frame.body)
        size = sum(map(len, self._parts))
        waiting = sum(length for _, length in self._to_apply)
        if (
            size > MAX_RECORD
            or waiting + size > WINDOW_BYTES + MAX_RECORD
            or len(self._to_apply) >= WINDOW_RECORDS
        ):
            raise refuse("more records than the window allows", "overrun", CLOSE_OVERRUN)
        if frame.more:
            return None
        record = DurableRecord(frame.sequence, frame.kind, b"".join(self._parts))
        self._parts, self._parts_of = [], None
        self._to_apply.append((frame.sequence, size))
        return RecordArrived(record)

    def _take_acknowledge(self, frame: Acknowledge) -> Event | None:
        if frame.epoch != self._handshake.epoch or frame.sequence > self._last_sent:
            raise malformed("an acknowledgement of something never sent")
        taken = False
        while self._in_flight and self._in_flight[0][0] <= frame.sequence:
            self._in_flight.popleft()
            taken = True
        return RecordsAcknowledged(frame.sequence) if taken else None

    # -- calls -------------------------------------------------------------------------------

    @property
    def wants_record(self) -> bool:
        """Whether the window has room for another record."""
        under_way = sum(length for _, length in self._in_flight)
        return self.connected and len(self._in_flight) < WINDOW_RECORDS and under_way < WINDOW_BYTES

    @property
    def last_offered(self) -> int:
        """The sequence behind which further records are wanted."""
        return self._last_offered

    def offer(self, record: DurableRecord) -> None:
        """Send a record when nothing more urgent waits; in order, and while one is wanted."""
        if not self.wants_record or record.sequence <= self._last_offered:
            raise RuntimeError("records are offered in order, while wanted")
        self._last_offered = record.sequence
        self._outgoing.append(_Outgoing(record))
        self._in_flight.append((record.sequence, len(record.body)))

    def acknowledge(self, sequence: int) -> None:
        """Say that every arrived record up to `sequence` has taken effect durably."""
        while self._to_apply and self._to_apply[0][0] <= sequence:
            self._to_apply.popleft()
        self._acknowledge = sequence

    def request(self, kind: str, body: bytes, deadline: float, now: float) -> int:
        """Ask; return the number its answer will carry. `deadline` is monotonic.

        Raises:
            RequestFailed: `busy`, too many questions are under way.
            ValueError: the body is longer than `MAX_BODY`.
        """
        check_body(body)
        if len(self._deadlines) >= MAX_REQUESTS:
            raise RequestFailed("too many requests are under way", code="busy")
        number = self._next_request
        self._next_request += 1
        self._deadlines[number] = deadline
        self._urgent.append(Request(number, kind, body, _milliseconds(deadline - now)))
        return number

    def give_up(self, number: int) -> None:
        """Forget one of our requests; it is not sent any more, and its answer is ignored."""
        self._deadlines.pop(number, None)

    def respond(self, number: int, code: str, body: bytes, now: float) -> None:
        """Answer a request, once; `code` is empty when it went well. Too late says nothing."""
        check_body(body)
        if self._asked.pop(number) > now:
            self._urgent.append(Response(number, code, body))

    def publish(self, kind: str, body: bytes) -> None:
        """Send a latest value; one of the same kind that still waits is replaced."""
        check_body(body)
        if kind not in self._latest and len(self._latest) >= MAX_LATEST_KINDS:
            raise ValueError("too many kinds of latest value")
        self._latest[kind] = body

    # -- bytes out ---------------------------------------------------------------------------

    def next_frame(self, now: float) -> bytes | None:
        """Return the most urgent frame to send, or None when there is nothing."""
        while self._urgent:
            frame = self._urgent.popleft()
            if isinstance(frame, Request):
                deadline = self._deadlines.get(frame.number)
                if deadline is None or deadline <= now:
                    continue  # too late to be of use; it is never sent
                frame = replace(frame, deadline_ms=_milliseconds(deadline - now))
            return encode_frame(frame)
        if self._acknowledge is not None:
            sequence, self._acknowledge = self._acknowledge, None
            return encode_frame(Acknowledge(self._peer_epoch, sequence))
        if self._latest:
            kind = next(iter(self._latest))
            return encode_frame(Latest(kind, self._latest.pop(kind)))
        return self._next_part()

    def _next_part(self) -> bytes | None:
        if not self._outgoing:
            return None
        current = self._outgoing[0]
        record, start = current.record, current.sent
        current.sent = start + PART_SIZE
        more = current.sent < len(record.body)
        if not more:
            self._outgoing.popleft()
            self._last_sent = record.sequence
        part = record.body[start : current.sent]
        return encode_frame(Record(record.sequence, record.kind, part, more))


def _milliseconds(seconds: float) -> int:
    return max(1, min(MAX_DEADLINE_MS, int(seconds * 1000)))


def check_body(body: bytes) -> None:
    """Raise `ValueError` for a body that does not fit one frame."""
    if len(body) > MAX_BODY:
        raise ValueError(f"a body of {len(body)} bytes; at most {MAX_BODY} in one frame")
