"""Both processes understand each other, and neither can be broken by the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_terminal.errors import ChannelBroken
from door_terminal.vision.messages import (
    LENGTH_SIZE,
    MAX_MESSAGE,
    MAX_STILL,
    MOST_FACES,
    Advice,
    Answer,
    Beat,
    Encode,
    Encoded,
    FaceBox,
    FromController,
    FromVision,
    Heartbeat,
    Preview,
    Ready,
    Show,
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
    Preview(b"jpeg", 5, True, (FaceBox(0.25, 0.0, 0.5, 1.0, Advice.CLOSER, 3),)),
    Encoded("s", b"probe"),
]
FROM_CONTROLLER = [
    Watch(60.0, 300.0, 35.0, 2, encode=True, crops=False),
    Beat(),
    Show(3.0, resting=True),
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


@pytest.mark.parametrize(
    "message",
    [
        Preview(b"x" * (MAX_STILL + 1), 0, watching=True),
        Preview(b"", 0, True, (FaceBox(0, 0, 1.5, 1, Advice.DONE, 1),)),
        Preview(b"", 0, True, (FaceBox(0, 0, 1, 1, Advice.DONE, 1),) * (MOST_FACES + 1)),
    ],
)
def test_a_picture_beyond_its_bounds_is_refused(message: Preview) -> None:
    with pytest.raises(ChannelBroken):
        from_vision(frame(message)[LENGTH_SIZE:])


def test_a_message_beyond_all_bounds_is_not_waited_for() -> None:
    with pytest.raises(ChannelBroken):
        body_length((MAX_MESSAGE + 1).to_bytes(LENGTH_SIZE, "big"))
