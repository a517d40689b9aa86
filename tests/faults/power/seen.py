"""What the outside had seen of a door before a power cut: what it must never take back."""

import json
import re
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.faults.power.recording import Happened, Received, Sent, Wrote
from tier_link.estate_messages import ESTATE, DoorPresence
from tier_link.messages import Acknowledge, Hello, Latest, Record, decode_frame

_ANSWER: Final = re.compile(rb"HTTP/1\.1 \d+ [^\r]*\r\n(?:[^\r]+\r\n)*?content-length: (\d+)\r\n")
_DIALED: Final = re.compile(rb"^GET /link HTTP/1\.1\r\n")
_END: Final = b"\r\n\r\n"
_GATE: Final = "/gate.jsonl"


@dataclass
class Seen:
    """All that had left a door.

    Attributes:
        paired: The command has said that the door is paired.
        entries: Whether it was granted, by entry that a page or a command answered with.
        openings: Entries for which the gate was asked.
        wrong: Wrong PINs that were answered since a right one was typed last.
        epoch: The epoch of the door's log.
        records: What was sent of the log, by sequence: kind and body.
        taken: How far the door has acknowledged the server's log.
        roster_version: What the door has said to hold.
        time_known: The door has said that it knows the time, or let a resident in.
    """

    paired: bool = False
    entries: dict[str, bool] = field(default_factory=dict)
    openings: list[str] = field(default_factory=list)
    wrong: int = 0
    epoch: int = 0
    records: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    taken: int = 0
    roster_version: int = 0
    time_known: bool = False


class Onlooker:
    """Follows a recording up to a line; what began to be sent counts as seen."""

    def __init__(self, events: Sequence[Happened], right_pin: str) -> None:
        self._right_pin = right_pin.encode()
        self._events = iter(events)
        self._next = next(self._events, None)
        self._streams: dict[str, bytearray] = defaultdict(bytearray)
        self.seen = Seen()

    def advance(self, line: int) -> None:
        """Look at everything before a line of the recording."""
        while self._next is not None and self._next.begin < line:
            self._look(self._next)
            self._next = next(self._events, None)

    def _look(self, event: Happened) -> None:
        match event:
            case Wrote() if event.path.endswith(_GATE) and event.data.endswith(b"\n"):
                self.seen.openings.append(json.loads(event.data)["entry"])
            case Received() if self._right_pin in event.data:
                self.seen.wrong = 0
            case Sent():
                stream = self._streams[event.to]
                stream += event.data
                if stream.startswith(b"HTTP/"):
                    for answer in _answers(stream):
                        self._take_answer(answer)
                elif _DIALED.match(stream):
                    for payload in _frames(stream):
                        self._take_frame(payload)
                elif not event.to.startswith("TCP"):
                    self._take_lines(stream)

    def _take_lines(self, stream: bytearray) -> None:
        while (end := stream.find(b"\n")) >= 0:
            line = bytes(stream[:end])
            del stream[: end + 1]
            if line.startswith(b"paired "):
                self.seen.paired = True
            elif line.startswith(b"{") and (told := json.loads(line)):
                self._take_answer(told)

    def _take_answer(self, told: dict[str, Any]) -> None:
        if not told.get("entry"):
            return
        self.seen.entries[told["entry"]] = told["granted"]
        self.seen.time_known |= told["granted"]
        if told.get("reason") == "pin-wrong":
            self.seen.wrong += 1

    def _take_frame(self, payload: bytes) -> None:
        match decode_frame(payload):
            case Hello() as hello:
                self.seen.epoch = hello.epoch
                self.seen.taken = max(self.seen.taken, hello.seen_sequence)
            case Acknowledge() as acknowledged:
                self.seen.taken = max(self.seen.taken, acknowledged.sequence)
            case Record() as record:
                assert not record.more, "the door's records are short"
                self.seen.records[record.sequence] = (record.kind, record.body)
            case Latest() as latest:
                told = ESTATE.decode(latest.kind, latest.body)
                if isinstance(told, DoorPresence):
                    self.seen.roster_version = told.roster_version
                    self.seen.time_known |= told.time_known


def _answers(stream: bytearray) -> Iterator[dict[str, Any]]:
    """Take whole answers of the page out of what was sent."""
    while (found := _ANSWER.match(stream)) is not None:
        head = stream.find(_END)
        end = head + len(_END) + int(found[1])
        if head < 0 or len(stream) < end:
            return
        body = bytes(stream[head + len(_END) : end])
        del stream[:end]
        yield json.loads(body)


def _frames(stream: bytearray) -> Iterator[bytes]:
    """Take whole binary frames of a dialer (RFC 6455: masked) out of what was sent."""
    begin = stream.find(_END) + len(_END)
    while len(stream) >= begin + 2:
        opcode, length, at = stream[begin] & 0x0F, stream[begin + 1] & 0x7F, begin + 2
        for marker, form in ((126, ">H"), (127, ">Q")):
            if length == marker:
                size = struct.calcsize(form)
                if len(stream) < at + size:
                    return
                (length,) = struct.unpack_from(form, stream, at)
                at += size
                break
        mask, at = stream[at : at + 4], at + 4
        if len(stream) < at + length:
            return
        data = bytes(one ^ mask[number % 4] for number, one in enumerate(stream[at : at + length]))
        del stream[begin : at + length]
        if opcode == 2:
            yield data
