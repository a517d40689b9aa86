"""Measure in which ranges the encoder's activations lie, for its preparation in 8-bit integers.

    python tools/measure_ranges.py --images DIR --source "what the photos are" > FILE

DIR holds one folder per person. Every STEP-th person's first photo is looked at. Of each PReLU's
values, before and after, the range is kept that 256 steps represent with the least square error:
what lies beyond is cut off, and finer steps repay that.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from face_engine.alignment import align
from face_engine.encoder import to_blob
from face_engine.evaluation.encoding import central_face
from face_engine.evaluation.folders import read_people
from face_engine.images import decode_photo
from face_engine.landmarks import refine
from face_engine.models import default_folder, load_pack
from face_engine.models.files import read_verified
from face_engine.models.preparation import prepare
from face_engine.models.registry import OPENCV_ZOO, Role, Runtime
from face_engine.models.sessions import open_session

STEP: Final = 14
BINS_PER_UNIT: Final = 128
REACH: Final = 32  # far beyond every activation
SHARES: Final = np.linspace(0.2, 1, 41)  # of the values' own extremes

Counts = NDArray[np.int64]


def watched_encoder() -> tuple[Any, list[str]]:
    """A session that also gives every PReLU's input and output, and the names of the outputs."""
    file = OPENCV_ZOO.file(Role.ENCODER)
    source = read_verified(default_folder(), OPENCV_ZOO, file)
    # The form for OpenVINO has its PReLUs as published.
    model = onnx.load_from_string(prepare(source, Role.ENCODER, Runtime.OPENVINO))
    prelus = [node for node in model.graph.node if node.op_type == "PRelu"]
    for node in prelus:
        for name in (node.input[0], node.output[0]):
            model.graph.output.append(
                onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            )
    return (
        open_session(model.SerializeToString(), threads=1),
        [node.output[0] for node in prelus],
    )


def count(values: NDArray[np.float32]) -> Counts:
    """A histogram of values from `-REACH` to `REACH`."""
    half = REACH * BINS_PER_UNIT
    bins = np.clip(np.round(values.reshape(-1) * BINS_PER_UNIT) + half, 0, 2 * half)
    return np.bincount(bins.astype(np.int64), minlength=2 * half + 1)


def best_range(counts: Counts) -> tuple[float, float]:
    """The range with the least square error, of cutting and of rounding."""
    values = np.arange(len(counts)) / BINS_PER_UNIT - REACH
    seen = values[counts > 0]
    total = counts.sum()

    def error(low: float, high: float) -> float:
        cut = float(counts @ np.square(values - np.clip(values, low, high)))
        return cut + float(total) * ((high - low) / 255) ** 2 / 12

    choices = [(low, high) for low in SHARES * seen[0] for high in SHARES * seen[-1]]
    return min(choices, key=lambda choice: error(*choice))


def main() -> None:
    """Measure, and print the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--source", required=True)
    arguments = parser.parse_args()
    pack = load_pack()
    session, names = watched_encoder()
    counts: dict[str, Counts] = {}
    people = read_people(arguments.images)[::STEP]
    for person in people:
        image = decode_photo(person.photos[0].read_bytes())
        face = central_face(pack.detector.detect(image, longest_side=640), image)
        crop = align(image, refine(pack.detector, image, face).landmarks)
        _, *seen = session.run(None, {"data": to_blob(crop[None])})
        for number, name in enumerate(names):
            both = count(seen[2 * number]) + count(seen[2 * number + 1])
            counts[name] = counts.get(name, 0) + both
    print("{")
    print(f'  "source": {json.dumps(arguments.source)},')
    print('  "command": "python tools/measure_ranges.py --images DIR --source TEXT",')
    print(f'  "photos": {len(people)},')
    print('  "ranges": {')
    rows = ((name, *best_range(counts[name])) for name in names)
    print(",\n".join(f'    "{name}": [{low:.2f}, {high:.2f}]' for name, low, high in rows))
    print("  }\n}")


if __name__ == "__main__":
    main()
