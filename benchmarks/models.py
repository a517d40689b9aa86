"""What the models cost as they are prepared, against the same weights merely made runnable.

All of it is the models' own time: one thread, CPU time, one session each, run in turn.
"""

import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, paired
from benchmarks.sample import sample
from face_engine.detector import pad
from face_engine.encoder import LARGEST_BATCH, normalise, to_blob
from face_engine.faces import Image
from face_engine.models import FacePack, default_folder, load_pack
from face_engine.models.files import read_verified
from face_engine.models.preparation import mend
from face_engine.models.prepared import load_prepared
from face_engine.models.registry import OPENCV_ZOO, OPENCV_ZOO_INT8, Role, Runtime
from face_engine.models.sessions import open_session

BATCHES: Final = (2, 4, 8, 16)


def run() -> list[Figure]:
    """Measure both models, and the encoder in batches."""
    pack = load_pack()
    one = sample(pack)
    encoder, detector = _sessions(Role.ENCODER), _sessions(Role.DETECTOR)
    return [
        _against_folded("encoder, one face", encoder, {"data": to_blob(one.crop[None])}),
        _against_folded("detector, 640 x 480", detector, {"input": pad(one.frame)}),
        *(_in_integers(pack, one.crop, count) for count in (1, LARGEST_BATCH)),
        *_openvino(pack, one.crop),
        *(_in_batches(pack, encoder[0], one.crop, count) for count in BATCHES),
    ]


def _in_integers(pack: FacePack, crop: Image, count: int) -> Figure:
    """Compare the pack whose encoder is prepared in 8-bit integers."""
    other = load_pack(OPENCV_ZOO_INT8.name)
    crops = np.repeat(crop[None], count, axis=0)
    ours, theirs = (each.uncentred().encoder.encode(crops)[0] for each in (other, pack))
    figure = paired(
        f"encoder in 8-bit integers, {count} face{'s' if count > 1 else ''} at once",
        lambda: other.encoder.encode(crops),
        lambda: pack.encoder.encode(crops),
        reference_name="the prepared encoder in floats",
        clock=time.process_time,
    )
    note = f"per face; another template space; cosine of the two vectors {float(ours @ theirs):.4f}"
    return figure.per(count).noted(note)


def _openvino(pack: FacePack, crop: Image) -> Iterator[Figure]:
    """Compare with the extra, where it is installed."""
    if find_spec("openvino") is None:
        return
    other = load_pack(runtime=Runtime.OPENVINO)
    crops = crop[None]
    yield paired(
        "encoder, one face, on OpenVINO",
        lambda: other.encoder.encode(crops),
        lambda: pack.encoder.encode(crops),
        reference_name="on onnxruntime",
        note="an extra, with the graph as it was before its PReLUs were rewritten",
        clock=time.process_time,
    )


def _sessions(role: Role) -> tuple[Any, Any]:
    """Return the prepared graph and the one that was only made runnable."""
    file = OPENCV_ZOO.file(role)
    source = read_verified(default_folder(), OPENCV_ZOO, file)
    return (
        open_session(load_prepared(default_folder(), OPENCV_ZOO, file), threads=1),
        open_session(mend(source, role).SerializeToString(), threads=1),
    )


def _against_folded(
    name: str, sessions: tuple[Any, Any], feed: dict[str, NDArray[np.float32]]
) -> Figure:
    prepared, folded = sessions
    note = "the model's alone"
    if "data" in feed:
        ours, theirs = (normalise(session.run(None, feed)[0])[0] for session in sessions)
        note += f"; cosine of the two vectors {float(ours @ theirs):.6f}"
    return paired(
        name,
        lambda: prepared.run(None, feed),
        lambda: folded.run(None, feed),
        reference_name="the merely folded graph",
        note=note,
        clock=time.process_time,
    )


def _in_batches(pack: FacePack, session: Any, crop: Image, count: int) -> Figure:
    """`encode` splits a batch into runs of `LARGEST_BATCH`; the reference is one run of all."""
    crops = np.repeat(crop[None], count, axis=0)
    blob = to_blob(crops)
    figure = paired(
        f"encoder, {count} faces at once",
        lambda: pack.encoder.encode(crops),
        lambda: session.run(None, {"data": blob}),
        reference_name="all in one run of the network",
        rounds=10,
        clock=time.process_time,
    )
    return figure.per(count).noted(f"per face; ours takes {LARGEST_BATCH} in a run")
