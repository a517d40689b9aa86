"""How well and how fast a door reads QR passes: rendered views of a phone, by distance and hold.

Each row is 50 views through the reader that vision uses, on one thread, every one verified; a
misread would not verify. The door looks four times a second, so one view in two read is a wait of
half a second. Distances are for a code of 6 cm and a lens that sees 70 degrees across.
"""

import math
import statistics
import time
from typing import Final

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.figures import Figure
from door_terminal.vision.pass_reader import read_codes
from gatehouse.pass_scenes import View, hold_up
from gatehouse.scenes import FRAME_SIZE, Image, empty_view
from tier_link.passes import PassClaim, build_code, build_pass, door_tag, pass_text, step_at

VIEWS: Final = 50
SHARES: Final = (0.45, 0.28, 0.22, 0.17)
HOLDS: Final = {
    "straight": View(0),
    "turned by 30°, tilted by 30°": View(0, turned=30, tilted=30),
    "out of focus (1.2 px)": View(0, blur=1.2),
    "moving (5 px)": View(0, smear=5),
}
_CODE_CM: Final = 6.0
_FOCAL_PX: Final = FRAME_SIZE[0] / 2 / math.tan(math.radians(35))
_NOW: Final = 1_795_000_000
_DOOR: Final = "0d" * 16
_KEY: Final = "5e" * 16


def run() -> list[Figure]:
    """Measure and return a figure for each kind of pass, distance and hold."""
    cv2.setNumThreads(1)
    empty = [empty_view(np.random.default_rng(number)) for number in range(VIEWS)]
    _read(empty)  # warmed up
    times, _ = _read(empty)
    idle = Figure("nothing in view", statistics.median(times), "ms", VIEWS)
    return [idle, *(_row(kind, text, share, hold)
                    for kind, text in _passes().items()
                    for share in SHARES
                    for hold in HOLDS)]  # fmt: skip


def _row(kind: str, text: str, share: float, hold: str) -> Figure:
    held = HOLDS[hold]
    random = np.random.default_rng(20261126)
    view = View(share, held.turned, held.tilted, held.blur, held.smear)
    views = [hold_up(text, view, random) for _ in range(VIEWS)]
    times, texts = _read(views)
    read = sum(text in found for found in texts)
    wrong = sum(found not in ([], [text]) for found in texts)
    distance = _CODE_CM * _FOCAL_PX / (share * FRAME_SIZE[1])
    return Figure(
        f"{kind}, {share:.2f} of the height ({distance:.0f} cm), {hold}",
        100 * read / VIEWS,
        "% read",
        VIEWS,
        note=f"{statistics.median(times):.1f} ms a picture, {max(times):.1f} at most"
        + (f"; misread {wrong}" if wrong else ""),
    )


def _read(views: list[Image]) -> tuple[list[float], list[list[str]]]:
    times, texts = [], []
    for view in views:
        start = time.perf_counter()
        texts.append(read_codes(view))
        times.append(1000 * (time.perf_counter() - start))
    return times, texts


def _passes() -> dict[str, str]:
    fingerprint = bytes(range(32))
    claim = PassClaim(
        "01" * 8, "visitor", _NOW, _NOW + 3600, uses=1, doors=(door_tag(_DOOR),), alone=True
    )
    fixed = build_pass(Ed25519PrivateKey.from_private_bytes(bytes(32)), _KEY, fingerprint, claim)
    phone = ec.derive_private_key(7, ec.SECP256R1())
    code = build_code(phone, fingerprint, "02" * 8, step_at(_NOW))
    return {"a visitor's pass": pass_text(fixed), "a resident's code": pass_text(code)}
