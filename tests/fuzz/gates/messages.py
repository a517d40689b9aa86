"""What stands in frames: each kind that doors, server and cloud say to one another.

The first byte says which kind the frame claimed.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tests.fuzz.gate import Gate
from tests.fuzz.honest import samples
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE
from tier_link.messages import Message, Vocabulary
from tier_link.relay_messages import RELAY

KINDS: Final[list[tuple[Vocabulary[Any], str]]] = [
    (vocabulary, kind) for vocabulary in (RELAY, ESTATE) for kind in vocabulary.kinds
]


def one(data: bytes) -> None:
    vocabulary, kind = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    message = vocabulary.decode(kind, data[1:])
    assert vocabulary.decode(kind, vocabulary.encode(message)) == message
    # Pages and programs read what came as JSON, which has no infinity (RFC 8259, 6).
    json.dumps(_plain(message), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return [_plain(getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return msgspec.to_builtins(value)


def seeds() -> Sequence[bytes]:
    return [
        bytes([number]) + vocabulary.encode(message)
        for number, (vocabulary, kind) in enumerate(KINDS)
        for message in samples(vocabulary.kinds[kind], 2, number)
    ]


GATE = Gate(one, seeds, (MalformedMessage,))
