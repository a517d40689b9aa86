"""What two servers of an estate write to each other: `community_server.standby.letters`.

The first byte says which letter is awaited. What comes signed by the root is tried as well, since
behind the signature stands what another release wrote.
"""

from collections.abc import Sequence

import msgspec

from community_server.errors import LetterRefused
from community_server.standby.letters import (
    EpochStated,
    KeysWanted,
    Signed,
    ask_epoch,
    read,
    read_keys,
    read_question,
    sign,
)
from tests.community_server.standby.test_letters import (
    ANSWER,
    ASKED,
    LETTER,
    PRIVATE,
    PUBLIC,
    ROOT,
)
from tests.fuzz.gate import Gate

STATED = sign(EpochStated(b"n" * 32, 7, serving=True), ROOT)
_LABEL = b"gatehouse/standby-wants-keys/1\0"


def one(data: bytes) -> None:
    body = data[1:]
    match data[:1]:
        case b"k":
            read(KeysWanted, body, PUBLIC)
        case b"r":
            letter = Signed(body, ROOT.sign(_LABEL + body))
            read(KeysWanted, msgspec.msgpack.encode(letter), PUBLIC)
        case b"a":
            read_keys(body, ASKED, LETTER, PRIVATE, PUBLIC)
        case b"e":
            read(EpochStated, body, PUBLIC)
        case _:
            read_question(body)


def seeds() -> Sequence[bytes]:
    return [
        b"k" + ASKED,
        b"r" + msgspec.msgpack.encode(LETTER),
        b"a" + ANSWER,
        b"e" + STATED,
        b"q" + ask_epoch(b"n" * 32),
    ]


GATE = Gate(one, seeds, (LetterRefused,), most=8192)
