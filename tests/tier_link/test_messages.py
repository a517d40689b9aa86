from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.strategies import FUZZ, damaged, messages
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE, MatchAnswer
from tier_link.messages import (
    MAX_FRAME,
    MAX_RECORD,
    Acknowledge,
    Hello,
    Latest,
    Message,
    Record,
    Request,
    Response,
    Vocabulary,
    decode_frame,
    encode_frame,
)
from tier_link.relay_messages import RELAY, InvitationsWithdrawn

FRAMES = (Hello, Record, Acknowledge, Request, Response, Latest)
VOCABULARIES: tuple[Vocabulary[Any], ...] = (RELAY, ESTATE)
KINDS = [(vocabulary, kind) for vocabulary in VOCABULARIES for kind in vocabulary.kinds]


@pytest.mark.parametrize("frame_type", FRAMES)
@FUZZ
@given(data=st.data())
def test_every_frame_goes_out_and_back(frame_type: type[Message], data: st.DataObject) -> None:
    frame = data.draw(messages(frame_type))
    encoded = encode_frame(frame)
    assert decode_frame(encoded) == frame
    assert len(encoded) <= MAX_FRAME


@pytest.mark.parametrize(("vocabulary", "kind"), KINDS)
@FUZZ
@given(data=st.data())
def test_every_message_goes_out_and_back(
    vocabulary: Vocabulary[Any], kind: str, data: st.DataObject
) -> None:
    message = data.draw(messages(vocabulary.kinds[kind]))
    assert vocabulary.kind(message) == kind
    assert vocabulary.decode(kind, vocabulary.encode(message)) == message


@FUZZ
@given(st.binary(max_size=400))
def test_foreign_bytes_become_a_frame_or_our_error(data: bytes) -> None:
    try:
        frame = decode_frame(data)
    except MalformedMessage:
        return
    assert isinstance(frame, FRAMES)


@pytest.mark.parametrize(("vocabulary", "kind"), KINDS)
@FUZZ
@given(data=st.data())
def test_damaged_bodies_become_a_message_or_our_error(
    vocabulary: Vocabulary[Any], kind: str, data: st.DataObject
) -> None:
    whole = vocabulary.encode(data.draw(messages(vocabulary.kinds[kind])))
    try:
        message = vocabulary.decode(kind, data.draw(damaged(whole)))
    except MalformedMessage:
        return
    assert isinstance(message, vocabulary.kinds[kind])


def test_a_largest_frame_of_each_kind_fits_the_limit() -> None:
    for frame in (
        Record(2**62, "k" * 40, b"x" * 32 * 1024, more=True),
        Request(2**62, "k" * 40, b"x" * 60 * 1024, 60_000),
        Response(2**62, "c" * 40, b"x" * 60 * 1024),
        Latest("k" * 40, b"x" * 60 * 1024),
    ):
        assert decode_frame(encode_frame(frame)) == frame


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\x91\x63",  # an unknown tag
        b"\x91" * 60_000,  # nested thousands deep
        b"\x94\x02\x01\xa1k" + b"\x91" * 60_000,
        encode_frame(Latest("presence", b"x" * (60 * 1024 + 1))),
        encode_frame(Record(0, "entry", b"")),  # sequences begin at 1
        encode_frame(Record(1, "Entry!", b"")),
        encode_frame(Record(1, "entry\n", b"")),
        encode_frame(Request(1, "match", b"", 60_001)),
        encode_frame(Hello(1, "node", 1, 1, 1, b"short nonce", b"")),
        msgspec.msgpack.encode([2, 1, b"\xff\xfe", b""]),
        b"\x00" * (MAX_FRAME + 1),
    ],
)
def test_what_no_peer_may_send_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_frame(data)


def test_a_newer_peers_added_fields_are_skipped_and_missing_ones_filled_in() -> None:
    assert decode_frame(msgspec.msgpack.encode([3, 7, 9, "new"])) == Acknowledge(7, 9)
    assert decode_frame(msgspec.msgpack.encode([5, 7])) == Response(7, "", b"")


def test_a_body_is_not_taken_for_another_kind() -> None:
    body = msgspec.msgpack.encode(["invitations-withdrawn", []])
    assert RELAY.decode("invitations-withdrawn", body) == InvitationsWithdrawn(())
    with pytest.raises(MalformedMessage):
        RELAY.decode("invitations-published", body)
    with pytest.raises(MalformedMessage):
        RELAY.decode("entry-recorded", body)
    with pytest.raises(MalformedMessage):
        RELAY.decode("invitations-withdrawn", body + b" " * MAX_RECORD)


def test_a_reused_tag_is_refused_when_the_messages_are_defined() -> None:
    class First(Message, frozen=True, tag="same"):
        pass

    class Second(Message, frozen=True, tag="same"):
        pass

    with pytest.raises(TypeError, match="same"):
        Vocabulary(First, Second)


def test_only_messages_of_a_vocabulary_are_written() -> None:
    with pytest.raises(TypeError):
        Vocabulary.kind(Acknowledge(1, 1))  # a frame has no kind
    outsider: Any = MatchAnswer("", "")
    with pytest.raises(TypeError):
        RELAY.encode(outsider)
