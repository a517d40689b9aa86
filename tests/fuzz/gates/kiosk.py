"""What a page or program on the terminal posts to the door: `door_terminal.screen.bodies`.

The first byte says to which route; `n` is the number of the picture that the page has.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from door_terminal.screen.bodies import (
    CallAsked,
    CallCancelled,
    PinEntry,
    RenewalAnswered,
    StaffPin,
    picture_number,
    read_body,
)
from tests.fuzz.gate import Gate

_TYPES: Final[tuple[type[Any], ...]] = (
    PinEntry,
    StaffPin,
    CallAsked,
    CallCancelled,
    RenewalAnswered,
)
_SCOPE: Final = {"type": "http", "headers": [(b"content-type", b"application/json")]}


class Refused(Exception):
    """The page answered with a status and a code."""


def one(data: bytes) -> None:
    if data[:1] == b"n":
        assert picture_number(data[1:].decode("utf-8", "replace")) >= 0
        return
    type_ = _TYPES[(data or b"\0")[0] % len(_TYPES)]
    events = [
        {"type": "http.request", "body": data[1:512], "more_body": True},
        {"type": "http.request", "body": data[512:]},
    ]

    async def receive() -> Any:
        return events.pop(0)

    try:
        read_body(Request(_SCOPE, receive), type_).send(None)  # nothing in it waits
    except StopIteration as done:
        answer = done.value
    else:
        raise AssertionError
    if isinstance(answer, Response):
        assert answer.status_code in {413, 422}
        raise Refused
    assert isinstance(answer, type_)


def seeds() -> Sequence[bytes]:
    bodies: tuple[Any, ...] = (
        PinEntry("3-1201", "482915"),
        StaffPin("730164"),
        CallAsked(),
        CallCancelled("0d" * 16),
        RenewalAnswered("0d" * 16, True, "zh-CN"),
    )
    written = [bytes([number]) + msgspec.json.encode(one) for number, one in enumerate(bodies)]
    return [*written, b"n17", b"n"]


GATE = Gate(one, seeds, (Refused,), most=2048)
