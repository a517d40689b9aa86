"""What the engine costs, beside what it is compared to.

Every pair runs in turns (A, B, B, A ...) in one process on one thread and is timed in CPU
seconds, so that a busy machine disturbs both alike; medians and the median of the ratios are
printed and written as JSON.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import faiss
import numpy as np
import onnx

from face_engine.alignment import align
from face_engine.detector import pad
from face_engine.encoder import normalise, to_blob
from face_engine.gallery_index import HALF_PRECISION_FROM, GalleryIndex
from face_engine.landmarks import refine
from face_engine.models import FacePack, default_folder, load_pack
from face_engine.models.files import pack_folder, read_verified
from face_engine.models.preparation import load_prepared, mend
from face_engine.models.registry import OPENCV_ZOO, Role
from face_engine.models.sessions import open_session


def paired(
    rounds: int, first: Callable[[], object], second: Callable[[], object]
) -> dict[str, float]:
    """Median CPU milliseconds of each, and the median of second / first."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 3):
        order = [(first, times[0]), (second, times[1])]
        for work, kept in order if turn % 2 else reversed(order):
            started = time.process_time()
            work()
            if turn >= 3:  # the first turns warm caches
                kept.append((time.process_time() - started) * 1000)
    ratios = [b / max(a, 1e-6) for a, b in zip(*times, strict=True)]
    return {
        "ours_ms": statistics.median(times[0]),
        "compared_ms": statistics.median(times[1]),
        "ratio": statistics.median(ratios),
    }


def encoder_against_folded(pack: FacePack, crop: np.ndarray, rounds: int) -> dict[str, float]:
    """The prepared encoder against the graph that was only made runnable."""
    file = OPENCV_ZOO.file(Role.ENCODER)
    source = read_verified(default_folder(), OPENCV_ZOO, file)
    folded = open_session(mend(source, Role.ENCODER).SerializeToString(), threads=1)
    prepared = open_session(load_prepared(default_folder(), OPENCV_ZOO, file), threads=1)
    blob = to_blob(crop[None])
    cosine = float(
        normalise(folded.run(None, {"data": blob})[0])[0] @ pack.encoder.encode(crop[None])[0],
    )
    result = paired(
        rounds,
        lambda: prepared.run(None, {"data": blob}),
        lambda: folded.run(None, {"data": blob}),
    )
    return result | {"cosine": cosine}


def pipeline_against_opencv(pack: FacePack, frame: np.ndarray, rounds: int) -> dict[str, float]:
    """Detect, align and encode one face of a 640x480 frame against OpenCV's own classes."""
    cv2.setNumThreads(1)
    size = frame.shape[1], frame.shape[0]
    folder = pack_folder(default_folder(), OPENCV_ZOO)
    detector = cv2.FaceDetectorYN.create(
        str(folder / OPENCV_ZOO.file(Role.DETECTOR).name), "", size, 0.8, 0.3, 5000
    )
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "sface.onnx"
        file = OPENCV_ZOO.file(Role.ENCODER)
        onnx.save(mend(read_verified(default_folder(), OPENCV_ZOO, file), file.role), str(path))
        recognizer = cv2.FaceRecognizerSF.create(str(path), "")

    def theirs() -> object:
        _, rows = detector.detect(frame)
        return recognizer.feature(recognizer.alignCrop(frame, rows[0]))

    def ours() -> object:
        face = pack.detector.detect(frame)[0]
        return pack.encoder.encode(align(frame, face.landmarks)[None])

    return paired(rounds, ours, theirs)


def pipeline_against_models(pack: FacePack, frame: np.ndarray, rounds: int) -> dict[str, float]:
    """The same pipeline against the two bare model runs; the rest is ours."""
    sessions = [
        open_session(load_prepared(default_folder(), OPENCV_ZOO, file), threads=1)
        for file in OPENCV_ZOO.files
    ]
    blob, crop = pad(frame), to_blob(np.zeros((1, 112, 112, 3), np.uint8))

    def bare() -> object:
        return sessions[0].run(None, {"input": blob}), sessions[1].run(None, {"data": crop})

    def ours() -> object:
        face = pack.detector.detect(frame)[0]
        return pack.encoder.encode(align(frame, face.landmarks)[None])

    result = paired(rounds, ours, bare)
    return result | {"our_share": 1 - result["ratio"]}


def refinement(pack: FacePack, frame: np.ndarray, rounds: int) -> dict[str, float]:
    """The closer look at a face's landmarks, against encoding it once."""
    face = pack.detector.detect(frame)[0]
    crop = align(frame, face.landmarks)[None]
    return paired(
        rounds,
        lambda: refine(pack.detector, frame, face),
        lambda: pack.encoder.encode(crop),
    )


def search_against_faiss(count: int, rounds: int) -> dict[str, float]:
    """One query in the gallery index against bare FAISS in the same storage."""
    faiss.omp_set_num_threads(1)
    vectors = normalise(np.random.default_rng(0).standard_normal((count, 128), np.float32))
    ours = GalleryIndex(128)
    started = time.process_time()
    ours.add_many([str(row) for row in range(count)], vectors)
    filling = time.process_time() - started
    bare = (
        faiss.IndexFlatIP(128)
        if count < HALF_PRECISION_FROM
        else faiss.IndexScalarQuantizer(
            128, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
    )
    bare.add(vectors)
    query = vectors[:1]
    result = paired(rounds, lambda: ours.search(query[0]), lambda: bare.search(query, 1))
    return result | {"filling_seconds": filling}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--results", type=Path, help="write the figures here, as JSON")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    pack = load_pack()
    picture = cv2.imread(str(resources.files("insightface") / "data" / "images" / "t1.jpg"))
    if picture is None:
        raise SystemExit("InsightFace's sample photo cannot be read")
    # One face in a frame of the size that cameras at doors give.
    frame = np.asarray(cv2.resize(picture[200:470, 0:360], (640, 480)), np.uint8)
    crop = align(frame, pack.detector.detect(frame)[0].landmarks)
    figures = {
        "encoder, prepared / folded": encoder_against_folded(pack, crop, rounds),
        "detect+align+encode, ours / OpenCV": pipeline_against_opencv(pack, frame, rounds),
        "detect+align+encode, ours / bare models": pipeline_against_models(pack, frame, rounds),
        "closer look / encoding": refinement(pack, frame, rounds),
    }
    for count in (10_000, 100_000, 1_000_000):
        figures[f"search {count}, ours / FAISS"] = search_against_faiss(count, rounds)
    for name, row in figures.items():
        rest = {k: v for k, v in row.items() if k not in {"ours_ms", "compared_ms", "ratio"}}
        print(
            f"{name:<42} {row['ours_ms']:8.2f} ms  {row['compared_ms']:8.2f} ms  "
            f"compared/ours {row['ratio']:5.2f}  "
            + "  ".join(f"{key} {value:.5g}" for key, value in rest.items()),
        )
    if arguments.results:
        arguments.results.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
