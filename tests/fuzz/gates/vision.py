"""What the vision process, which decodes foreign cameras' pictures, tells the controller.

The first byte says which way: `c` from the controller, anything else from vision.
"""

from collections.abc import Sequence
from typing import Any, get_args

from door_terminal.errors import ChannelBroken
from door_terminal.vision.messages import (
    LENGTH_SIZE,
    FromController,
    FromVision,
    body_length,
    frame,
    from_controller,
    from_vision,
)
from tests.fuzz.gate import Gate
from tests.fuzz.honest import samples


def one(data: bytes) -> None:
    body_length(data[1 : 1 + LENGTH_SIZE])
    read: Any = from_controller if data[:1] == b"c" else from_vision
    read(data[1 + LENGTH_SIZE :])


def seeds() -> Sequence[bytes]:
    return [
        way + frame(message)
        for way, kinds in ((b"v", FromVision), (b"c", FromController))
        for kind in get_args(kinds)
        for message in samples(kind, 1)
    ]


GATE = Gate(one, seeds, (ChannelBroken,))
