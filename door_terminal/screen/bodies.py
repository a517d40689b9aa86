"""What the page may send, and the one gate through which it comes in."""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from door_terminal.credentials.pins import MAX_PIN_LENGTH, MAX_UNIT_LENGTH
from tier_kit.language import Language

MAX_BODY: Final = 1024  # a unit and a PIN
_MOST_DIGITS: Final = 15  # of a picture's number; a page counts in doubles

S = TypeVar("S", bound=msgspec.Struct)


class PinEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the pad sends."""

    unit: Annotated[str, Meta(min_length=1, max_length=MAX_UNIT_LENGTH)]
    pin: Annotated[str, Meta(min_length=1, max_length=MAX_PIN_LENGTH)]

    def __repr__(self) -> str:
        return "PinEntry(…)"


class StaffPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ends a fire release."""

    pin: Annotated[str, Meta(min_length=1, max_length=MAX_PIN_LENGTH)]

    def __repr__(self) -> str:
        return "StaffPin(…)"


class CallAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rings."""


class CallCancelled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ends a call."""

    call: Annotated[str, Meta(max_length=32)]


class RenewalAnswered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody answers who is asked whether to renew their face, and in which language."""

    offer: Annotated[str, Meta(max_length=32)]
    agreed: bool
    language: Language


async def read_body(request: Request, type_: type[S]) -> S | Response:
    """Return what the page sent, or the refusal."""
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        return refusal(415, "not-json")  # forms of other pages cannot send this type
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return refusal(413, "too-large")
        return msgspec.json.decode(bytes(body), type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ClientDisconnect):
        # Not JSON, or of another shape; text that is not UTF-8; brackets nested hundreds deep; or a
        # page that left in between, which reads no answer.
        return refusal(422, "malformed")


def picture_number(text: str) -> int:
    """Return the number of the picture that the page has; 0 for none, and for what is no number."""
    fits = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if fits else 0


def refusal(status: int, code: str) -> Response:
    """Return an answer that says no, with a code."""
    return JSONResponse({"error": {"code": code}}, status_code=status)
