"""Reading request bodies under limits: sealed ones whole, forms without ever spooling.

Starlette's own form parser spools larger parts to a temporary file; an unsealed photo must
not touch a disk here, so forms are read by python-multipart's bare parser into memory.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tier_kit.forms.bodies import announced_size, read_box
from tier_kit.forms.errors import Malformed, WrongMediaType
from tier_kit.forms.limits import BodyBudget, paced
from tier_link.relay_messages import MAX_SEALED
from tier_link.sealing import MAX_PLAINTEXT, is_sealed_size

FORM_TYPE: Final = "multipart/form-data"

MAX_FORM: Final = MAX_PLAINTEXT + 64 * 1024
"""Bytes of a form: as much as can be sealed, and room for the parts' own headers."""

MAX_PARTS: Final = 20
"""The form has twelve fields at most."""

_MAX_HEADER = 1024
_MAX_HEADERS_PER_PART = 8


async def read_sealed(
    chunks: AsyncIterator[bytes],
    *,
    content_type: str | None,
    content_length: str | None,
    budget: BodyBudget,
) -> bytes:
    """Read a sealed envelope; refuses what `read_box` refuses."""
    return await read_box(
        chunks,
        content_type=content_type,
        content_length=content_length,
        budget=budget,
        most=MAX_SEALED,
        fits=is_sealed_size,
    )


async def read_form(
    chunks: AsyncIterator[bytes],
    *,
    content_type: str | None,
    content_length: str | None,
    budget: BodyBudget,
) -> dict[str, bytes]:
    """Read a multipart form into memory: each field's name and bytes.

    Raises:
        WrongMediaType: not `multipart/form-data` with a boundary.
        TooLarge: more bytes than can be sealed.
        Malformed: not a form, too many parts, or one name twice (`form-malformed`).
        TooSlow: it did not arrive in time.
        Busy: too many bodies at once.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind.decode("latin-1") != FORM_TYPE or not boundary:
        raise WrongMediaType("media-type-wrong")
    announced = announced_size(content_length, MAX_FORM)
    form = _Form()
    with budget.hold(2 * (announced or MAX_FORM)):
        try:
            parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": form.begin,
                    "on_header_field": form.header_field,
                    "on_header_value": form.header_value,
                    "on_header_end": form.header_end,
                    "on_headers_finished": form.headers_finished,
                    "on_part_data": form.data,
                    "on_end": form.end,
                },
                max_header_count=_MAX_HEADERS_PER_PART,
                max_header_size=_MAX_HEADER,
            )
            async for chunk in paced(chunks, announced or MAX_FORM):
                parser.write(chunk)
            parser.finalize()
        except FormParserError as error:
            raise Malformed("form-malformed") from error
        if not form.ended:
            raise Malformed("form-malformed")
        return {name: bytes(value) for name, value in form.fields.items()}


@dataclass
class _Form:
    """Collects what the parser calls out."""

    fields: dict[str, bytearray] = field(default_factory=dict)
    ended: bool = False
    _field: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _current: bytearray = field(default_factory=bytearray)

    def begin(self) -> None:
        self._disposition = b""
        if len(self.fields) >= MAX_PARTS:
            raise Malformed("form-malformed")

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition.decode("latin-1"))
        name = options.get(b"name", b"").decode("latin-1")
        if kind != b"form-data" or not name or name in self.fields:
            raise Malformed("form-malformed")
        self._current = self.fields[name] = bytearray()

    def data(self, data: bytes, start: int, end: int) -> None:
        self._current += data[start:end]

    def end(self) -> None:
        self.ended = True
