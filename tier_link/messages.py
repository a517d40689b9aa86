"""The six frames of a link, and how every message of this project is written.

Messages are MessagePack arrays: a tag, then the fields in order. The format grows by one
rule: **new fields go last and have defaults; any other change is a new message with a new
tag; a tag is never used again.** So a peer one version older skips fields it does not know,
and one version newer fills in what is missing. `Vocabulary` refuses a reused tag when the
module that defines the messages is imported.

Bounds stand in the types: `decode` checks them all, so behind it code trusts its values.
"""

from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from tier_link.errors import MalformedMessage

PROTOCOL_VERSION = 1

MAX_FRAME = 64 * 1024
"""Bytes of one encoded frame: small enough that one frame never blocks a line for long."""
PART_SIZE = 32 * 1024
"""Bytes of one part of a durable record; a request waits behind at most one part."""
MAX_RECORD = 8 * 1024 * 1024
"""Bytes of one durable record, put together: a 4 MiB envelope fits, memory stays bounded."""
MAX_BODY = 60 * 1024
"""Bytes of a request, answer or latest value: these travel in one frame."""
NONCE_SIZE = 32
"""Bytes of a handshake nonce: never repeats by chance."""
MAX_DEADLINE_MS = 60_000
"""Longest deadline of a request: whoever waits longer should have asked again."""
MAX_COUNT = 2**62
"""Upper end of sequences, epochs and numbers: far from the end of a 64-bit integer."""

PeerId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
"""A community's id (slug), a door's or a server's (hex), or the cloud's."""
Kind: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")]
"""The tag of the message in a body."""
Code: TypeAlias = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9-]{0,39})?\Z")]
"""A stable code for programs, or nothing."""
HexId: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
"""128 bits as lower-case hex."""
Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Sequence: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_COUNT)]
UnixSeconds: TypeAlias = Annotated[int, Meta(ge=0, le=2**40)]


class Message(msgspec.Struct, frozen=True, array_like=True):
    """Base of every message; see the module's rule for changing one."""

    def __repr__(self) -> str:
        """Show its kind alone: bodies hold templates, hashes of PINs and keys."""
        return f"{type(self).__name__}(…)"


class Hello(Message, frozen=True, tag=1):
    """Opens a link, in both directions; see `tier_link.handshake`.

    The one message that never grows, since both sides sign it as written: another Hello
    means another `version`.

    `epoch` is the sender's store's; `seen_epoch` and `seen_sequence` say how far the sender
    has durably taken the receiver's log. `proof` is empty in the first Hello, else an
    Ed25519 signature of 64 bytes.
    """

    version: Annotated[int, Meta(ge=0, le=2**31)]
    node: PeerId
    epoch: Count
    seen_epoch: Count
    seen_sequence: Count
    nonce: Annotated[bytes, Meta(min_length=NONCE_SIZE, max_length=NONCE_SIZE)]
    proof: Annotated[bytes, Meta(max_length=64)] = b""


class Record(Message, frozen=True, tag=2):
    """One part of a durable record; `more` says that another part of it follows."""

    sequence: Sequence
    kind: Kind
    body: Annotated[bytes, Meta(max_length=PART_SIZE)]
    more: bool = False


class Acknowledge(Message, frozen=True, tag=3):
    """Every record of the receiver's `epoch` up to `sequence` has taken effect durably."""

    epoch: Count
    sequence: Count


class Request(Message, frozen=True, tag=4):
    """A question that wants an answer within `deadline_ms` of its arrival, or never."""

    number: Sequence
    kind: Kind
    body: Annotated[bytes, Meta(max_length=MAX_BODY)]
    deadline_ms: Annotated[int, Meta(ge=1, le=MAX_DEADLINE_MS)]


class Response(Message, frozen=True, tag=5):
    """The answer to request `number`; `code` is empty when it went well."""

    number: Sequence
    code: Code = ""
    body: Annotated[bytes, Meta(max_length=MAX_BODY)] = b""


class Latest(Message, frozen=True, tag=6):
    """A value that replaces every earlier one of its kind."""

    kind: Kind
    body: Annotated[bytes, Meta(max_length=MAX_BODY)]


Frame: TypeAlias = Hello | Record | Acknowledge | Request | Response | Latest

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What msgspec raises for foreign bytes; the last for arrays nested thousands deep.

_encoder = msgspec.msgpack.Encoder()
_frame_decoder = msgspec.msgpack.Decoder[Frame](Frame)


def encode_frame(frame: Frame) -> bytes:
    """Write one frame."""
    return _encoder.encode(frame)


def decode_frame(data: bytes) -> Frame:
    """Read one frame.

    Raises:
        MalformedMessage: too long, not MessagePack, an unknown tag, or a field out of bounds.
    """
    if len(data) > MAX_FRAME:
        raise MalformedMessage(f"a frame of {len(data)} bytes; at most {MAX_FRAME}")
    try:
        frame: Frame = _frame_decoder.decode(data)
    except _UNREADABLE as error:
        raise MalformedMessage(f"not a frame: {error}") from error
    return frame


M = TypeVar("M", bound=Message)


class Vocabulary(Generic[M]):
    """The messages one pair of tiers knows, by kind: the gate through which bodies come in.

    A message's kind is its tag; it stands in the frame and again in the body, and both must
    agree, so that a body cannot be taken for something else.
    """

    def __init__(self, *types: type[M]) -> None:
        """Take the message classes. Raises `TypeError` for a tag that is used twice."""
        self.kinds: dict[str, type[M]] = {}
        for message_type in types:
            kind = self.kind(message_type)
            if kind in self.kinds:
                raise TypeError(f"tag {kind!r} is already used by another message")
            self.kinds[kind] = message_type
        self._decoders = {
            kind: msgspec.msgpack.Decoder(message_type) for kind, message_type in self.kinds.items()
        }

    @staticmethod
    def kind(message: Message | type[Message]) -> str:
        """Return the kind of a message or message class."""
        tag = message.__struct_config__.tag
        if not isinstance(tag, str):
            raise TypeError(f"{message!r} has no kind")
        return tag

    def encode(self, message: M) -> bytes:
        """Write a message's body. Raises `TypeError` for one outside this vocabulary."""
        if self.kind(message) not in self.kinds:
            raise TypeError(f"{type(message).__name__} is not spoken here")
        return _encoder.encode(message)

    def decode(self, kind: str, body: bytes) -> M:
        """Read a body of the given kind.

        Raises:
            MalformedMessage: an unknown kind, a body of another kind, or one out of bounds.
        """
        decoder = self._decoders.get(kind)
        if decoder is None:
            raise MalformedMessage(f"unknown kind {kind[:40]!r}")
        if len(body) > MAX_RECORD:
            raise MalformedMessage(f"a body of {len(body)} bytes; at most {MAX_RECORD}")
        try:
            return decoder.decode(body)
        except _UNREADABLE as error:
            raise MalformedMessage(f"not a {kind}: {error}") from error
