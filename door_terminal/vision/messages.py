"""What vision and controller tell each other, over a pair of connected sockets.

Each message is MessagePack behind its length in four bytes, big-endian. Both ends are this
program in this version; bounds still stand in the types, so that a broken process cannot take
the other with it.
"""

import os
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from door_terminal.errors import ChannelBroken

HUNG: Final = os.EX_TEMPFAIL
"""Exit status of vision when the camera's driver does not come back from a call."""
REHEARSE: Final = "rehearse"
"""Argument of vision instead of a socket's number: load the models, say what is wrong, end."""
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for foreign bytes; the last for arrays nested thousands deep."""
BEAT_S: Final = 1.0
"""How often each of the two processes tells the other that it is alive."""
LENGTH_SIZE: Final = 4
MAX_MESSAGE: Final = 1024 * 1024
"""Bytes: a sighting with four crops needs some 50 KiB."""

MAX_STILL: Final = 60 * 1024
"""Bytes of a live picture, so that one fits a frame of the link; most need a quarter of it."""
MOST_FACES: Final = 4
"""Faces marked in a live picture: the nearest; more than that is a crowd."""

MAX_PASS_TEXT: Final = 200
"""Characters of a QR code that may be a pass; longer ones are something else."""

CAMERA_BLIND: Final = "camera-blind"
"""Code of a camera that sends pictures on which there is nothing."""

Code: TypeAlias = Annotated[str, Meta(max_length=40)]
Crops: TypeAlias = Annotated[tuple[bytes, ...], Meta(max_length=8)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    """Vision, once: the models are loaded and were timed on this machine."""

    template_space: str
    detect_ms: float
    encode_ms: float


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag="heartbeat"):
    """Vision, every second: it is alive, and so is the camera, or not.

    `camera` is empty while pictures come, else the reason's code. `watching` says that something
    moves and faces are being looked for. `liveness` is empty, or says that its models are missing.
    `near` is the most faces that were near enough to count at once since the last heartbeat.
    """

    camera: Code
    frames: int
    detections: int
    faces: int
    watching: bool
    liveness: Code = ""
    near: int = 0


class Sighting(msgspec.Struct, frozen=True, array_like=True, tag="sighting"):
    """Vision: one face has been in the zone long enough and was seen well enough.

    A sighting may try several probes, each of more frames; after the `final` one it is over.

    Times are `time.monotonic_ns()`, which all processes of a machine share. `probe` is float32
    little-endian, unit length, not turned; empty when vision was told not to encode. `crops` are
    aligned 112 x 112 faces as JPEG, best first; empty when nothing is to go to the server.
    `liveness` is what was seen, a face or a picture of one; empty when nobody asked. `challenged`
    says that the frames were taken while the face was asked to turn. `track` numbers the face that
    was followed, as long as vision runs.
    """

    sighting: str
    first_seen_ns: int
    needed_ns: int
    frames: int
    probe: bytes = b""
    crops: Crops = ()
    final: bool = True
    liveness: Code = ""
    challenged: bool = False
    track: int = 0

    def __repr__(self) -> str:
        return f"Sighting({self.sighting}, {self.frames} frames)"


class Unclear(msgspec.Struct, frozen=True, array_like=True, tag="unclear"):
    """Vision: a face was in the zone long enough and was never seen well enough to judge."""

    sighting: str
    first_seen_ns: int
    needed_ns: int
    frames: int
    track: int = 0


class PassSeen(msgspec.Struct, frozen=True, array_like=True, tag="pass-seen"):
    """Vision: a QR code is in view, told again every second while it stays there."""

    text: Annotated[str, Meta(max_length=MAX_PASS_TEXT)]
    seen_ns: int

    def __repr__(self) -> str:
        return "PassSeen(…)"


class Advice(StrEnum):
    """What becomes of a face in view, and so what whoever has it may do."""

    CLOSER = "closer"
    TURN = "turn"
    HOLD = "hold"
    LOOKING = "looking"
    DONE = "done"


class FaceBox(msgspec.Struct, frozen=True, array_like=True):
    """Where a face is in a live picture, in shares of its width and height from the top left.

    `track` is that of the sighting it may become.
    """

    left: Share
    top: Share
    width: Share
    height: Share
    advice: Advice
    track: int


class Preview(msgspec.Struct, frozen=True, array_like=True, tag="preview"):
    """Vision, while `Show` asks for it: what the camera sees now, as JPEG, not mirrored.

    `faces` are the nearest, nearest first. `watching` as in `Heartbeat`. `captured_ns` is
    `time.monotonic_ns()`.
    """

    jpeg: Annotated[bytes, Meta(max_length=MAX_STILL)]
    captured_ns: int
    watching: bool
    faces: Annotated[tuple[FaceBox, ...], Meta(max_length=MOST_FACES)] = ()

    def __repr__(self) -> str:
        return f"Preview(… {len(self.jpeg)} bytes)"


class Encoded(msgspec.Struct, frozen=True, array_like=True, tag="encoded"):
    """Vision: the answer to `Encode`."""

    sighting: str
    probe: bytes

    def __repr__(self) -> str:
        return f"Encoded({self.sighting})"


class Unable(msgspec.Struct, frozen=True, array_like=True, tag="unable"):
    """Vision: it cannot work and ends; `code` says why, as the face engine's errors do."""

    code: str


class Watch(msgspec.Struct, frozen=True, array_like=True, tag="watch"):
    """Controller: what counts as a sighting here, and what to send of it.

    Unless somebody is `wanted`, no face is looked for at all. At most `rate` pictures a second are
    looked at, 0 for as many as come. Without `crops`, `snapshot` asks for the best one alone.
    """

    min_face_px: float
    dwell_ms: float
    max_yaw_deg: float
    frames: int
    encode: bool
    crops: bool
    attempts: int = 1
    liveness: bool = False
    passes: bool = False
    wanted: bool = True
    rate: float = 0.0
    snapshot: bool = False


class Beat(msgspec.Struct, frozen=True, array_like=True, tag="beat"):
    """Controller, every second: it is alive. Vision ends when nothing comes for a while."""


class Show(msgspec.Struct, frozen=True, array_like=True, tag="show"):
    """Controller: send a `Preview` several times a second for `seconds` from now.

    With `resting`, once a second also while nothing moves; else none then.
    """

    seconds: Annotated[float, Meta(ge=0, le=60)]
    resting: bool = False


class Encode(msgspec.Struct, frozen=True, array_like=True, tag="encode"):
    """Controller: the server could not be asked, so encode these crops after all."""

    sighting: str
    crops: Crops

    def __repr__(self) -> str:
        return f"Encode({self.sighting}, {len(self.crops)} crops)"


class Answer(msgspec.Struct, frozen=True, array_like=True, tag="answer"):
    """Controller: what came of a probe; every `Sighting` gets one.

    Not `settled`: nobody was recognised yet, go on collecting. With `again_s`, whoever still
    stands there after so long wants in once more; a stranger who stays makes one entry. With
    `turn`, the face is asked to turn that way (`left` or `right`), and its last probe is made of
    frames from then on.
    """

    sighting: str
    settled: bool
    again_s: float | None = None
    turn: Code = ""


FromVision: TypeAlias = (
    Ready | Heartbeat | Sighting | Unclear | PassSeen | Preview | Encoded | Unable
)
FromController: TypeAlias = Beat | Watch | Show | Encode | Answer

_encoder = msgspec.msgpack.Encoder()
_from_vision: msgspec.msgpack.Decoder[FromVision] = msgspec.msgpack.Decoder(FromVision)
_from_controller: msgspec.msgpack.Decoder[FromController] = msgspec.msgpack.Decoder(FromController)


def frame(message: FromVision | FromController) -> bytes:
    """Write a message behind its length."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_SIZE, "big") + body


def body_length(prefix: bytes) -> int:
    """Read a length.

    Raises:
        ChannelBroken: longer than any message.
    """
    length = int.from_bytes(prefix, "big")
    if length > MAX_MESSAGE:
        raise ChannelBroken(f"a message of {length} bytes between the terminal's processes")
    return length


def from_vision(body: bytes) -> FromVision:
    """Read what vision sent. Raises `ChannelBroken` for anything else."""
    try:
        return _from_vision.decode(body)
    except UNREADABLE as error:
        raise ChannelBroken(f"vision sent something else: {error}") from error


def from_controller(body: bytes) -> FromController:
    """Read what the controller sent. Raises `ChannelBroken` for anything else."""
    try:
        return _from_controller.decode(body)
    except UNREADABLE as error:
        raise ChannelBroken(f"the controller sent something else: {error}") from error
