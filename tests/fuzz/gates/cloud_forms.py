"""A form of a client that cannot seal, as the cloud reads it: `enrollment_cloud.enrollment`.

The first line is the header `content-type`, the rest the body.
"""

import asyncio
import atexit
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from enrollment_cloud.enrollment.unsealed import parse_form
from enrollment_cloud.enrollment.uploads import read_form
from tests.fuzz.estate import BROWSER
from tests.fuzz.gate import Gate
from tier_kit.forms.errors import FormRefused
from tier_kit.forms.limits import BodyBudget

_TYPE: Final = b"multipart/form-data; boundary=gate"
_runner: Final = asyncio.Runner()
atexit.register(_runner.close)


def one(data: bytes) -> None:
    header, _, body = data.partition(b"\n")

    async def chunks() -> AsyncGenerator[bytes]:
        for at in range(0, len(body), 100):
            yield body[at : at + 100]

    async def read() -> dict[str, bytes]:
        async with aclosing(chunks()) as parts:
            kind = header.decode("latin-1")
            budget = BodyBudget(1 << 30)
            return await read_form(parts, content_type=kind, content_length=None, budget=budget)

    parse_form(_runner.run(read()))


def seeds() -> Sequence[bytes]:
    fields = {
        "fragment": BROWSER.invitation.fragment,
        "language": "zh-CN",
        "consents": '[{"id":"encode","version":"1","language":"en"}]',
        "name": "林安",
        "photo-front": "front",
    }
    parts = "".join(
        f'--gate\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return [_TYPE + b"\n" + parts.encode() + b"--gate--\r\n"]


GATE = Gate(one, seeds, (FormRefused,))
