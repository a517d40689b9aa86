"""One frame of a link: `tier_link.messages.decode_frame`. What is read is written alike again."""

from collections.abc import Sequence
from typing import Any

from tests.fuzz.gate import Gate
from tests.fuzz.honest import samples
from tier_link.errors import MalformedMessage
from tier_link.messages import (
    Acknowledge,
    Hello,
    Latest,
    Record,
    Request,
    Response,
    decode_frame,
    encode_frame,
)


def one(data: bytes) -> None:
    frame = decode_frame(data)
    assert decode_frame(encode_frame(frame)) == frame


def seeds() -> Sequence[bytes]:
    kinds: tuple[type[Any], ...] = (Hello, Record, Acknowledge, Request, Response, Latest)
    return [encode_frame(frame) for kind in kinds for frame in samples(kind, 2)]


GATE = Gate(one, seeds, (MalformedMessage,))
