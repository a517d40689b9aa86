"""Recordings to judge: live people and attacks, as films, folders of pictures, or photos.

    DIR/live/PERSON/RECORDING          a video, a folder of pictures in name order, or one picture
    DIR/attacks/KIND/PERSON/RECORDING  the same, by kind of attack

Where a person has one recording, it may stand in the person's place. Folders beside `live` other
than `attacks` are kinds of attack, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from face_engine.errors import EvaluationImpossible, PhotoRefused
from face_engine.faces import Image
from face_engine.images import decode_photo

LIVE: Final = "live"
_ATTACKS: Final = "attacks"
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_VIDEOS: Final = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".mjpeg", ".mjpg"})
_FRAME_S: Final = 0.1
"""Between two pictures of a folder, which say nothing about it; videos are thinned out to it."""
_SLACK_S: Final = 0.001  # of rounding
_LONGEST_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Recording:
    """One presentation.

    Attributes:
        person: whose face.
        kind: `live`, or the kind of attack.
        files: one video, or pictures in order.
    """

    person: str
    kind: str
    files: tuple[Path, ...]

    def frames(self) -> Iterator[tuple[float, Image]]:
        """Its pictures, (H, W, 3) uint8 BGR, each with its time in seconds.

        Raises:
            EvaluationImpossible: a file cannot be read.
        """
        if self.files[0].suffix.lower() in _VIDEOS:
            yield from _video(self.files[0])
            return
        for number, file in enumerate(self.files[: round(_LONGEST_S / _FRAME_S)]):
            try:
                yield number * _FRAME_S, decode_photo(file.read_bytes())
            except (OSError, PhotoRefused) as broken:
                raise EvaluationImpossible(f"{file} cannot be read: {broken}") from broken


def _video(file: Path) -> Iterator[tuple[float, Image]]:
    capture = cv2.VideoCapture(str(file))
    try:
        rate = capture.get(cv2.CAP_PROP_FPS) or 1 / _FRAME_S
        number = taken = 0
        while number / rate < _LONGEST_S:
            there, frame = capture.read()
            if not there:
                break
            if number / rate >= taken * _FRAME_S - _SLACK_S:
                taken += 1
                yield number / rate, np.asarray(frame, np.uint8)
            number += 1
    finally:
        capture.release()
    if number == 0:
        raise EvaluationImpossible(f"{file} is not a video that can be read")


def _is(path: Path, suffixes: frozenset[str]) -> bool:
    return path.is_file() and path.suffix.lower() in suffixes


def _of_person(person: str, kind: str, place: Path) -> Iterator[Recording]:
    if _is(place, _PICTURES | _VIDEOS):
        yield Recording(person, kind, (place,))
        return
    if not place.is_dir():
        return
    entries = sorted(place.iterdir())
    pictures = tuple(entry for entry in entries if _is(entry, _PICTURES))
    if pictures:
        yield Recording(person, kind, pictures)
    for entry in entries:
        if entry.is_dir() or _is(entry, _VIDEOS):
            yield from _of_person(person, kind, entry)


def _of_kind(kind: str, folder: Path) -> Iterator[Recording]:
    for entry in sorted(folder.iterdir()):
        yield from _of_person(entry.stem if entry.is_file() else entry.name, kind, entry)


def has_recordings(folder: Path) -> bool:
    """Whether a folder is laid out as recordings, not as photos by person."""
    return (folder / LIVE).is_dir()


def read_recordings(folder: Path) -> list[Recording]:
    """All recordings of a folder, the live ones first.

    Raises:
        EvaluationImpossible: there are none, or none that is live, or none that is an attack.
    """
    recordings = list(_of_kind(LIVE, folder / LIVE))
    live = len(recordings)
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir() or entry.name == LIVE:
            continue
        if entry.name != _ATTACKS:
            recordings += _of_kind(entry.name, entry)
            continue
        loose = [one for one in sorted(entry.iterdir()) if one.is_file()]
        for file in loose:
            recordings += _of_person(file.stem, _ATTACKS, file)
        for kind in sorted(one for one in entry.iterdir() if one.is_dir()):
            recordings += _of_kind(kind.name, kind)
    if not live or live == len(recordings):
        raise EvaluationImpossible(
            f"{folder} needs recordings of living people in 'live' and of attacks in "
            "'attacks/KIND': videos, folders of pictures, or single pictures"
        )
    return recordings
