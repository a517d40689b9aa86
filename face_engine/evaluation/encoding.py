"""From photos to what an evaluation needs of each: found or why not, vectors, quality."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from face_engine.alignment import align
from face_engine.degradations import Degradation, degrade, seeded
from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.evaluation.vector_cache import VectorCache
from face_engine.faces import Face, Image, Vectors
from face_engine.images import decode_photo
from face_engine.landmarks import refine
from face_engine.models import FacePack
from face_engine.quality import MEASURES, assess_crop, score

# Goes up with every change of detection, alignment, quality or degradation that changes a record.
ENCODING_VERSION = 5

_BATCH = 8
_SEARCH_SIDE = 640
UNREADABLE = "unreadable"
"""Beside `PhotoReason`: the file could not be read from its disk."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPhotos:
    """What was found in N photos, in the order asked for.

    Attributes:
        found: (N,) bool, whether there was a face.
        reasons: (N,) str, why there was none, else empty: a `PhotoReason` or `UNREADABLE`.
        plain: (N, d) float32 unit vectors of the faces as seen; of no meaning where none was found.
        mirrored: the same of their mirror images; of no meaning for degraded copies.
        measures: (N, m) float32, what `quality.MEASURES` names of each face.
        quality: (N,) float32, the `quality.score` of them.
    """

    found: NDArray[np.bool_]
    reasons: NDArray[np.str_]
    plain: Vectors
    mirrored: Vectors
    measures: NDArray[np.float32]
    quality: NDArray[np.float32]


def central_face(faces: Sequence[Face], image: Image) -> Face:
    """The face that a portrait is of: large, and near the middle."""
    height, width = image.shape[:2]

    def weight(face: Face) -> float:
        left, top, wide, high = (float(value) for value in face.box)
        away = np.hypot((left + wide / 2) / width - 0.5, (top + high / 2) / height - 0.5)
        return float(high * max(0.05, 1 - 1.5 * away))

    return max(faces, key=weight)


def _record_type(dimension: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("reason", "S24"),
            ("measures", "<f4", (len(MEASURES),)),
            ("plain", "<f4", (dimension,)),
            ("mirrored", "<f4", (dimension,)),
        ],
    )


def _find(pack: FacePack, image: Image) -> Face | None:
    """The face that a photo is of."""
    faces = pack.detector.detect(image, longest_side=_SEARCH_SIDE)
    return central_face(faces, image) if faces else None


def _look(
    pack: FacePack,
    data: bytes,
    degradation: Degradation | None,
) -> tuple[Image, list[float]]:
    """The aligned crop of a photo's face, and the `MEASURES` of its quality.

    Raises:
        PhotoRefused: it is no picture, or (the copy of it) shows no face.
    """
    image = decode_photo(data)
    face = _find(pack, image)
    if face is not None and degradation is not None:
        source = seeded(hashlib.sha256(data).digest(), degradation)
        image = degrade(image, face, degradation, source)
        face = _find(pack, image)
    if face is None:
        raise PhotoRefused(PhotoReason.NO_FACE)
    face = refine(pack.detector, image, face)
    crop = align(image, face.landmarks)
    quality = assess_crop(crop, face)
    return crop, [getattr(quality, name) for name in MEASURES]


def _encode_batch(
    pack: FacePack,
    photos: Sequence[Path],
    degradation: Degradation | None,
    kind: np.dtype[np.void],
) -> NDArray[np.void]:
    records = np.zeros(len(photos), kind)
    crops, rows = [], []
    for row, photo in enumerate(photos):
        try:
            crop, measures = _look(pack, photo.read_bytes(), degradation)
        except PhotoRefused as refused:
            records[row]["reason"] = refused.reason.encode()
            continue
        records[row]["measures"] = measures
        crops.append(crop)
        rows.append(row)
    if crops:
        stacked = np.stack(crops)
        records["plain"][rows] = pack.encoder.encode(stacked)
        if degradation is None:
            records["mirrored"][rows] = pack.encoder.encode(stacked[:, :, ::-1])
    return records


def _digests(photos: Sequence[Path], *, progress: bool) -> list[str]:
    """Each photo's SHA-256; empty where it cannot be read."""
    digests = []
    for photo in tqdm(photos, desc="reading", unit="photo", disable=not progress, leave=False):
        try:
            digests.append(hashlib.sha256(photo.read_bytes()).hexdigest())
        except OSError:
            digests.append("")
    return digests


def encode_photos(
    pack: FacePack,
    photos: Sequence[Path],
    cache_folder: Path,
    *,
    degradation: Degradation | None = None,
    progress: bool = False,
) -> EncodedPhotos:
    """Detect, align and encode every photo, or its degraded copy, that the cache does not know.

    Raises:
        EvaluationImpossible: the cache cannot be used.
    """
    digests = _digests(photos, progress=progress)
    kind = _record_type(pack.encoder.dimension)
    # As the network has them, so that they outlive another middle of all faces.
    bare = pack.uncentred()
    setting = f"{pack.name} {bare.template_space} v{ENCODING_VERSION} {degradation or 'as it is'}"
    cache = VectorCache(cache_folder, setting, kind)
    known = cache.read(digests)
    missing = {
        digest: photo
        for digest, photo in zip(digests, photos, strict=True)
        if digest and digest not in known
    }
    names = list(missing)
    label = str(degradation or "encoding")
    with tqdm(total=len(names), desc=label, unit="photo", disable=not progress) as bar:
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            records = _encode_batch(bare, [missing[name] for name in batch], degradation, kind)
            cache.write(batch, records)
            known |= {name: records[row : row + 1] for row, name in enumerate(batch)}
            bar.update(len(batch))
    unreadable = np.zeros(1, kind)
    unreadable["reason"] = UNREADABLE.encode()
    found = np.concatenate([known.get(digest, unreadable) for digest in digests])
    reasons = np.char.decode(found["reason"], "ascii")
    return EncodedPhotos(
        found=reasons == "",
        reasons=reasons,
        plain=pack.centred(found["plain"]),
        mirrored=pack.centred(found["mirrored"]),
        measures=found["measures"],
        quality=np.array([score(measures) for measures in found["measures"].tolist()], np.float32),
    )
