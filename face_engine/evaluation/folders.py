"""Photos to evaluate on: one folder per person, and pair lists in LFW's format."""

import re
from dataclasses import dataclass
from pathlib import Path

from face_engine.errors import EvaluationImpossible

_PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_NUMBER_AT_END = re.compile(r"(\d+)$")
_MATCHED_FIELDS = 3
_MISMATCHED_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Person:
    """One person's photos, in name order."""

    name: str
    photos: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, each as (person's name, index into the person's photos), and the truth."""

    first: tuple[str, int]
    second: tuple[str, int]
    same: bool


@dataclass(frozen=True, slots=True)
class PairList:
    """A list of pairs.

    Attributes:
        pairs: in the order of the file.
        folds: for each pair the fold it belongs to, when the file has folds; else all 0.
    """

    pairs: tuple[Pair, ...]
    folds: tuple[int, ...]


def _photos(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in _entries(folder) if _is_photo(path)))


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in _PHOTO_SUFFIXES and path.is_file()


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, without what systems hide there (`.DS_Store`, `._photo.jpg`)."""
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as broken:
        raise EvaluationImpossible(f"{folder} cannot be read: {broken.strerror}") from broken


def _misplaced(folder: Path) -> str:
    """Where the photos are instead, as far as that can be told."""
    for entry in sorted(_entries(folder)):
        if _is_photo(entry):
            return f"; '{entry.name}' lies in no person's folder"
        if entry.is_dir() and any(_photos(below) for below in _entries(entry) if below.is_dir()):
            return f"; they seem to lie one folder deeper: --images {entry}"
    return ""


def read_people(folder: Path) -> list[Person]:
    """The people below a folder, in name order; folders without photos do not count.

    Raises:
        EvaluationImpossible: there is no photo, or a folder cannot be read.
    """
    if not folder.is_dir():
        raise EvaluationImpossible(f"{folder} is not a folder")
    people = [
        Person(entry.name, photos)
        for entry in sorted(_entries(folder))
        if entry.is_dir() and (photos := _photos(entry))
    ]
    if not people:
        raise EvaluationImpossible(
            f"{folder} holds no photos: it needs one folder per person, "
            f"with JPEG, PNG or WebP photos in it{_misplaced(folder)}",
        )
    return people


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as broken:
        raise EvaluationImpossible(f"{file} cannot be read: {broken}") from broken


def read_names(file: Path, people: list[Person]) -> frozenset[str]:
    """Names of people, one a line; `#` begins a comment.

    Raises:
        EvaluationImpossible: the file cannot be read, or nobody has such a name.
    """
    lines = _lines(file)
    names = frozenset(name for line in lines if (name := line.partition("#")[0].strip()))
    if unknown := names - {person.name for person in people}:
        raise EvaluationImpossible(f"{file}: there is no folder '{min(unknown)}'")
    return names


class _Numbering:
    """Finds a person's photo by the number that LFW's lists use."""

    def __init__(self, people: list[Person]) -> None:
        self._people = {person.name: person for person in people}
        self._numbers: dict[str, dict[int, int]] = {}

    def index(self, name: str, number: str, where: str) -> int:
        person = self._people.get(name)
        if person is None:
            raise EvaluationImpossible(f"{where}: there is no folder '{name}'")
        if name not in self._numbers:
            self._numbers[name] = {
                int(match[1]): index
                for index, photo in enumerate(person.photos)
                if (match := _NUMBER_AT_END.search(photo.stem))
            }
        try:
            return self._numbers[name][int(number)]
        except (KeyError, ValueError):
            raise EvaluationImpossible(f"{where}: '{name}' has no photo number {number}") from None


def read_pairs(file: Path, people: list[Person]) -> PairList:
    """A pair list in LFW's format: `name n m` is a matched, `name n name m` a mismatched pair.

    Fields are separated by tabs, or by blanks where the file has no tabs. The first line may
    state the pairs of each kind (`1100`), or the folds and the pairs of each kind in a fold
    (`10 300`); photos are numbered by the digits at the end of their file names.

    Raises:
        EvaluationImpossible: the file cannot be read, a line makes no sense, or it names a
            photo that is not there.
    """
    lines = _lines(file)
    numbering = _Numbering(people)
    pairs: list[Pair] = []
    fold_size = 0
    for number, line in enumerate(lines, start=1):
        where = f"{file}, line {number}"
        fields = [field.strip() for field in (line.split("\t") if "\t" in line else line.split())]
        if not any(fields):
            continue
        if number == 1 and all(field.isdecimal() for field in fields) and len(fields) <= 2:  # noqa: PLR2004 — a count, or folds and a count
            fold_size = 2 * int(fields[1]) if len(fields) == 2 else 0  # noqa: PLR2004
            continue
        if len(fields) == _MATCHED_FIELDS:
            name, a, b = fields
            other = name
        elif len(fields) == _MISMATCHED_FIELDS:
            name, a, other, b = fields
        else:
            raise EvaluationImpossible(f"{where}: expected 3 or 4 fields, found {len(fields)}")
        pairs.append(
            Pair(
                first=(name, numbering.index(name, a, where)),
                second=(other, numbering.index(other, b, where)),
                same=name == other,
            ),
        )
    if not any(pair.same for pair in pairs) or all(pair.same for pair in pairs):
        raise EvaluationImpossible(f"{file} needs matched and mismatched pairs")
    folds = tuple(index // fold_size if fold_size else 0 for index in range(len(pairs)))
    return PairList(tuple(pairs), folds)
