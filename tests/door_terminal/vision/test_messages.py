"""Both processes understand each other, and neither can be broken by the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_terminal.errors import ChannelBroken
from door_terminal.vision.messages import (
    LENGTH_SIZE,
    MAX_MESSAGE,
    Answer,
    Encode,
    Encoded,
    FromController,
    FromVision,
    Heartbeat,
    Ready,
    Sighting,
    Unclear,
    Watch,
    body_length,
    frame,
    from_controller,
    from_vision,
)

FROM_VISION = [
    Ready("space", 7.5, 14.0),
    Heartbeat("camera-silent", 3, 2, 1, watching=True),
    Sighting("s", 1, 2, 2, b"probe", (b"one", b"two")),
    Unclear("s", 1, 2, 1),
    Encoded("s", b"probe"),
]
FROM_CONTROLLER = [
    Watch(60.0, 300.0, 35.0, 2, encode=True, crops=False),
    Encode("s", (b"one",)),
    Answer("s", settled=True, again_s=10.0),
    Answer("s", settled=False),
]


@pytest.mark.parametrize("message", FROM_VISION)
def test_what_vision_says_arrives(message: FromVision) -> None:
    data = frame(message)
    assert body_length(data[:LENGTH_SIZE]) == len(data) - LENGTH_SIZE
    assert from_vision(data[LENGTH_SIZE:]) == message


@pytest.mark.parametrize("message", FROM_CONTROLLER)
def test_what_the_controller_says_arrives(message: FromController) -> None:
    assert from_controller(frame(message)[LENGTH_SIZE:]) == message


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    for read in (from_vision, from_controller):
        try:
            read(data)
        except ChannelBroken:
            continue


def test_a_message_beyond_all_bounds_is_not_waited_for() -> None:
    with pytest.raises(ChannelBroken):
        body_length((MAX_MESSAGE + 1).to_bytes(LENGTH_SIZE, "big"))
