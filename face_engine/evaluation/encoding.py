"""Every photo of an evaluation, encoded once: a cache that can be stopped and resumed.

One file per template space holds records of fixed size, appended as photos are encoded and keyed
by the photo's SHA-256. A half-written record at the end is cut off. It holds face vectors of the
photos given: delete it with them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from face_engine.alignment import align
from face_engine.errors import PhotoRefused
from face_engine.faces import Face, Image, Vectors
from face_engine.images import decode_photo
from face_engine.landmarks import refine
from face_engine.models import FacePack
from face_engine.quality import assess_crop

# Goes up with every change of detection, alignment or quality that changes a record.
ENCODING_VERSION = 2

_BATCH = 8
_SEARCH_SIDE = 640


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPhotos:
    """What was found in N photos, in the order asked for.

    Attributes:
        found: (N,) bool, whether there was a face.
        plain: (N, d) float32 unit vectors of the faces as seen; zeros where none was found.
        mirrored: the same of their mirror images.
        quality: (N,) float32, `Quality.score`.
    """

    found: NDArray[np.bool_]
    plain: Vectors
    mirrored: Vectors
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
            ("digest", "S64"),
            ("found", "?"),
            ("quality", "<f4"),
            ("plain", "<f4", (dimension,)),
            ("mirrored", "<f4", (dimension,)),
        ],
    )


class VectorCache:
    """Records by photo digest, in one append-only file."""

    def __init__(self, folder: Path, template_space: str, dimension: int) -> None:
        self._type = _record_type(dimension)
        self._file = folder / f"{template_space}-v{ENCODING_VERSION}.vectors"
        folder.mkdir(parents=True, exist_ok=True)
        whole = 0
        if self._file.exists():
            whole = self._file.stat().st_size // self._type.itemsize
            with self._file.open("r+b") as file:
                file.truncate(whole * self._type.itemsize)
        records = np.fromfile(self._file, self._type, whole) if whole else self.empty(0)
        self._chunks = [records]
        self._rows = {digest: row for row, digest in enumerate(records["digest"].tolist())}

    def empty(self, count: int) -> NDArray[np.void]:
        """Room for `count` records."""
        return np.zeros(count, self._type)

    def missing(self, digests: Sequence[bytes]) -> list[int]:
        """Indexes of the digests that have no record yet, each digest once."""
        seen: set[bytes] = set()
        indexes = []
        for index, digest in enumerate(digests):
            if digest not in self._rows and digest not in seen:
                seen.add(digest)
                indexes.append(index)
        return indexes

    def append(self, records: NDArray[np.void]) -> None:
        """Add records, in memory and in the file."""
        with self._file.open("ab") as file:
            file.write(records.tobytes())
        start = sum(len(chunk) for chunk in self._chunks)
        self._chunks.append(records)
        for row, digest in enumerate(records["digest"].tolist(), start=start):
            self._rows[digest] = row

    def read(self, digests: Sequence[bytes]) -> NDArray[np.void]:
        """The records of these digests, in their order."""
        rows = [self._rows[digest] for digest in digests]
        return np.asarray(np.concatenate(self._chunks)[rows])


def _encode_batch(pack: FacePack, photos: Sequence[bytes], records: NDArray[np.void]) -> None:
    """Fill in the records of some photos; one that cannot be read counts as one without a face."""
    crops, rows = [], []
    for row, data in enumerate(photos):
        try:
            image = decode_photo(data)
        except PhotoRefused:
            continue
        faces = pack.detector.detect(image, longest_side=_SEARCH_SIDE)
        if not faces:
            continue
        face = refine(pack.detector, image, central_face(faces, image))
        crop = align(image, face.landmarks)
        records[row]["found"] = True
        records[row]["quality"] = assess_crop(crop, face).score
        crops.append(crop)
        rows.append(row)
    if crops:
        stacked = np.stack(crops)
        records["plain"][rows] = pack.encoder.encode(stacked)
        records["mirrored"][rows] = pack.encoder.encode(stacked[:, :, ::-1])


def encode_photos(
    pack: FacePack,
    photos: Sequence[Path],
    cache_folder: Path,
    *,
    progress: bool = False,
) -> EncodedPhotos:
    """Detect, align and encode every photo that the cache does not know yet."""
    digests = [
        hashlib.sha256(photo.read_bytes()).hexdigest().encode()
        for photo in tqdm(photos, desc="reading", unit="photo", disable=not progress, leave=False)
    ]
    cache = VectorCache(cache_folder, pack.template_space, pack.encoder.dimension)
    missing = cache.missing(digests)
    with tqdm(total=len(missing), desc="encoding", unit="photo", disable=not progress) as bar:
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            records = cache.empty(len(batch))
            records["digest"] = [digests[index] for index in batch]
            _encode_batch(pack, [photos[index].read_bytes() for index in batch], records)
            cache.append(records)
            bar.update(len(batch))
    found = cache.read(digests)
    return EncodedPhotos(found["found"], found["plain"], found["mirrored"], found["quality"])
