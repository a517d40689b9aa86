"""One face of a 640 x 480 frame: detected, aligned, encoded; against OpenCV and the bare models.

The same weights throughout, one thread, CPU time. Decoding the frame is not in it.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx

from benchmarks.figures import Figure, paired
from benchmarks.sample import sample
from face_engine.alignment import align
from face_engine.detector import pad, search_side, shrink
from face_engine.encoder import to_blob
from face_engine.faces import Image
from face_engine.landmarks import refine
from face_engine.models import default_folder, load_pack
from face_engine.models.files import pack_folder, read_verified
from face_engine.models.preparation import mend
from face_engine.models.prepared import load_prepared
from face_engine.models.registry import OPENCV_ZOO, Role
from face_engine.models.sessions import open_session

LEAST_EYES: Final = 40.0
"""Pixels between the eyes from which a door's zone counts a face, as doors are set up."""


def run() -> list[Figure]:
    """Measure in turn."""
    cv2.setNumThreads(1)
    pack = load_pack()
    one = sample(pack)
    theirs = _opencv(one.frame)
    side = search_side(one.frame, LEAST_EYES)

    def at_a_door() -> object:
        face = pack.detector.detect(one.frame, longest_side=side)[0]
        face = refine(pack.detector, one.frame, face)
        return pack.encoder.encode(align(one.frame, face.landmarks)[None])

    def step_by_step() -> object:
        face = pack.detector.detect(one.frame)[0]
        return pack.encoder.encode(align(one.frame, face.landmarks)[None])

    classes = "FaceDetectorYN and FaceRecognizerSF"
    return [
        paired(
            "detect, look closer, align, encode, as a door does",
            at_a_door,
            theirs,
            reference_name=classes,
            note=f"searched at {side} pixels: faces that count have {LEAST_EYES:.0f} between the"
            " eyes; landmarks come from the closer look",
            clock=time.process_time,
        ),
        paired(
            "detect, align, encode, step by step the same",
            step_by_step,
            theirs,
            reference_name=classes,
            note="searched at 640 pixels as OpenCV does, no closer look",
            clock=time.process_time,
        ),
        _around_the_models(at_a_door, one.frame, side),
        paired(
            "closer look at a face's landmarks",
            lambda: refine(pack.detector, one.frame, pack.detector.detect(one.frame)[0]),
            lambda: pack.detector.detect(one.frame),
            reference_name="detection without it",
            note="the difference is the closer look",
            clock=time.process_time,
        ),
    ]


def _opencv(frame: Image) -> Callable[[], object]:
    size = frame.shape[1], frame.shape[0]
    folder = pack_folder(default_folder(), OPENCV_ZOO)
    detector_file = str(folder / OPENCV_ZOO.file(Role.DETECTOR).name)
    detector = cv2.FaceDetectorYN.create(detector_file, "", size, 0.8, 0.3, 5000)
    file = OPENCV_ZOO.file(Role.ENCODER)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "sface.onnx"
        onnx.save(mend(read_verified(default_folder(), OPENCV_ZOO, file), file.role), str(path))
        recognizer = cv2.FaceRecognizerSF.create(str(path), "")

    def theirs() -> object:
        _, rows = detector.detect(frame)
        return recognizer.feature(recognizer.alignCrop(frame, rows[0]))

    return theirs


def _around_the_models(ours: Callable[[], object], frame: Image, side: int) -> Figure:
    """Compare with the same runs of the models alone, on inputs made beforehand."""
    detector, encoder = (
        open_session(load_prepared(default_folder(), OPENCV_ZOO, file), threads=1)
        for file in OPENCV_ZOO.files
    )
    small, window = pad(shrink(frame, side)[0]), np.zeros((1, 3, 192, 384), np.float32)
    crop = to_blob(np.zeros((1, 112, 112, 3), np.uint8))

    def bare() -> object:
        detector.run(None, {"input": small})
        detector.run(None, {"input": window})
        return encoder.run(None, {"data": crop})

    figure = paired(
        "the same pipeline around its models",
        ours,
        bare,
        reference_name="its three bare model runs",
        clock=time.process_time,
    )
    share = 1 - 1 / (figure.ratio or 1)
    return figure.noted(f"{share:.1%} of the time is ours, the rest the models'")
