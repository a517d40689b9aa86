"""What the camera sees of a QR code: two bytes of size, then grey pixels.

Finding and reading codes is ZXing's native code, which the fuzzer sees from outside alone; the pass
that a code says is read as the door reads it.
"""

import contextlib
from collections.abc import Sequence

import numpy as np
import segno

from door_terminal.vision.pass_reader import read_codes
from tests.fuzz.gate import Gate
from tests.fuzz.gates.passes import MAKER
from tier_link.errors import PassRefused
from tier_link.passes import read_pass


def one(data: bytes) -> None:
    if len(data) < 2:
        return
    width, height = data[0] + 1, data[1] + 1
    grey = np.resize(np.frombuffer(data[2:] or b"\0", np.uint8), (height, width))
    for text in read_codes(np.repeat(grey[:, :, None], 3, axis=2)):
        with contextlib.suppress(PassRefused):
            read_pass(text)


def picture(text: str) -> bytes:
    rows = [list(row) for row in segno.make(text, micro=False).matrix_iter(scale=2, border=4)]
    grey = np.where(np.array(rows) > 0, 0, 255).astype(np.uint8)
    height, width = grey.shape
    return bytes([width - 1, height - 1]) + grey.tobytes()


def seeds() -> Sequence[bytes]:
    return [picture(MAKER.fixed()), picture("https://example.com/\u95e8")]


GATE = Gate(one, seeds, (PassRefused,), most=65_538, refuses=False)
