"""InsightFace's packs (SCRFD + ArcFace) behind the same protocols as our own.

Files lie where `insightface` itself keeps them below a root: `<models folder>/insightface/models/
<pack>/*.onnx`. Their weights are for non-commercial research only; see
`licences`.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_engine.detector import shrink
from face_engine.encoder import LARGEST_BATCH, normalise
from face_engine.errors import ModelDamaged, ModelsMissing
from face_engine.faces import Face, Image, Vectors
from face_engine.models.files import sha256
from face_engine.models.licences import require_licence
from face_engine.models.purposes import purpose_of_file
from face_engine.models.registry import InsightFacePack

_log = logging.getLogger(__name__)

# SCRFD is given one fixed square, as InsightFace's own FaceAnalysis does.
_SEARCH_SIZE = 640
_CROP_SIZE = 112
# SCRFD's own default, and one that lets dark and blurred faces through.
_SURE_SCORE = 0.5
_UNSURE_SCORE = 0.3
# `quality` was fitted to YuNet's confidence, 0.8 where it is sure and 0.93 at a good face. SCRFD's
# 0.5 and 0.85 are laid on these; no weights were at hand to fit it anew.
_SURE_IS = 0.8
_SCALE = (0.93 - 0.8) / (0.85 - 0.5)


def insightface_root(folder: Path) -> Path:
    """The `root` that insightface is given inside the models folder."""
    return folder / "insightface"


def insightface_folder(pack: InsightFacePack, folder: Path) -> Path:
    """Where the pack's ONNX files lie."""
    return pack.folder or insightface_root(folder) / "models" / pack.name


class InsightFaceDetector:
    """A detection model of `insightface.model_zoo` behind our protocol."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def detect(
        self,
        image: Image,
        *,
        longest_side: int | None = None,
        unsure: bool = False,
    ) -> list[Face]:
        """All faces, best score first, in the picture's own pixels; see `Detector`."""
        small, factor = shrink(image, longest_side)
        boxes, points = self._model.detect(small, input_size=(_SEARCH_SIZE, _SEARCH_SIZE))
        faces = [
            Face(
                box=np.asarray([x1, y1, x2 - x1, y2 - y1], np.float32) * np.float32(factor),
                landmarks=np.asarray(landmarks, np.float32) * np.float32(factor),
                score=_SURE_IS + (float(score) - _SURE_SCORE) * _SCALE,
            )
            for (x1, y1, x2, y2, score), landmarks in zip(boxes, points, strict=True)
            if unsure or score >= _SURE_SCORE
        ]
        return sorted(faces, key=lambda face: -face.score)

    def landmarks_near(
        self, image: Image, expected: NDArray[np.float64], farthest: float
    ) -> list[NDArray[np.float64] | None]:
        """The nearest face's landmarks at each place, or None; see `Detector`."""
        seen = [face.landmarks.astype(np.float64) for face in self.detect(image, unsure=True)]
        found: list[NDArray[np.float64] | None] = []
        for place in expected:
            near = min(seen, key=lambda one: float(np.abs(one - place).mean()), default=None)
            if near is not None and np.abs(near - place).mean() >= farthest:
                near = None
            found.append(near)
        return found


class InsightFaceEncoder:
    """An ArcFace model of `insightface.model_zoo` behind our protocol."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._dimension = int(model.output_shape[1])

    @property
    def dimension(self) -> int:
        """Values in one vector."""
        return self._dimension

    def encode(self, crops: Image) -> Vectors:
        """(N, 112, 112, 3) uint8 BGR aligned faces to (N, dimension) float32 of unit length."""
        outputs = [
            self._model.get_feat(list(crops[start : start + LARGEST_BATCH]))
            for start in range(0, len(crops), LARGEST_BATCH)
        ]
        if not outputs:
            return np.empty((0, self._dimension), np.float32)
        return normalise(np.concatenate(outputs))


def load_insightface_pack(
    pack: InsightFacePack,
    folder: Path,
    providers: Sequence[str],
) -> tuple[str, InsightFaceDetector, InsightFaceEncoder]:
    """The pack's template space, detector and encoder.

    Raises:
        ModelsMissing: its folder holds no detection or no recognition model, or the
            `insightface` package is not installed.
        ModelDamaged: a file is not a model that insightface can open.
        LicenceNotConfirmed: see `licences`.
    """
    where = insightface_folder(pack, folder)
    files = sorted(where.glob("*.onnx"))
    command = f"gatehouse models fetch --pack {pack.name} --accept-licence"
    if not files:
        raise ModelsMissing(f"There are no model files in {where}. To fetch them: {command}")
    require_licence(pack, folder)
    try:
        from insightface import model_zoo  # noqa: PLC0415 — an optional package, slow to import
    except ModuleNotFoundError as missing:
        raise ModelsMissing(
            "InsightFace's packs need the Python package 'insightface': "
            "pip install 'gatehouse-access[insightface]'",
        ) from missing
    detector: Any = None
    encoder: tuple[Any, Path] | None = None
    for file in files:
        model = _open_model(file, model_zoo, providers)
        task = getattr(model, "taskname", None)
        if task == "detection" and detector is None:
            detector = model
        elif task == "recognition" and encoder is None:
            encoder = (model, file)
    if detector is None or encoder is None:
        raise ModelsMissing(f"{where} needs a detection and a recognition model as ONNX files.")
    detector.prepare(-1, input_size=(_SEARCH_SIZE, _SEARCH_SIZE), det_thresh=_UNSURE_SCORE)
    model, file = encoder
    if tuple(model.input_size) != (_CROP_SIZE, _CROP_SIZE):
        raise ModelDamaged(f"{file} does not take faces of 112x112 pixels.")
    # The bytes decide the space: two files of one name may differ.
    space = f"{file.stem}-{sha256(file.read_bytes())[:12]}"
    return space, InsightFaceDetector(detector), InsightFaceEncoder(model)


def _open_model(file: Path, model_zoo: Any, providers: Sequence[str]) -> Any:
    """Open one file of a pack, unless it is for something that nothing here does: None then."""
    try:
        if purpose_of_file(file) is None:
            # Their packs bring models that guess age and sex, too: none of these is ever opened.
            _log.info("model=%s opened=no reason=no-purpose-here", file.name)
            return None
        return model_zoo.get_model(str(file), providers=list(providers))
    except Exception as broken:
        raise ModelDamaged(f"insightface cannot open {file}: {broken}") from broken
