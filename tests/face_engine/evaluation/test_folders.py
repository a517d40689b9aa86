from pathlib import Path

import pytest

from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.folders import Pair, read_pairs, read_people


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for name, numbers in {"Ann": (1, 3), "Bo Li": (1, 2), "Cy": ()}.items():
        (folder / name).mkdir(parents=True)
        for number in numbers:
            (folder / name / f"{name}_{number:04}.jpg").touch()
    (folder / "Ann" / "notes.txt").touch()
    (folder / "stray.jpg").touch()
    return folder


def write(folder: Path, text: str) -> Path:
    path = folder / "pairs.txt"
    path.write_text(text, "utf-8")
    return path


def test_people_are_folders_with_photos_in_name_order(images: Path) -> None:
    people = read_people(images)
    assert [person.name for person in people] == ["Ann", "Bo Li"]
    assert [photo.name for photo in people[0].photos] == ["Ann_0001.jpg", "Ann_0003.jpg"]


def test_a_folder_without_photos_is_told_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(EvaluationImpossible, match="one folder per person"):
        read_people(tmp_path)
    with pytest.raises(EvaluationImpossible, match="not a folder"):
        read_people(tmp_path / "nowhere")


def test_photos_that_lie_elsewhere_are_told_where(tmp_path: Path) -> None:
    (tmp_path / "stray.jpg").touch()
    with pytest.raises(EvaluationImpossible, match="'stray\\.jpg' lies in no"):
        read_people(tmp_path)
    (tmp_path / "set" / "train" / "Ann").mkdir(parents=True)
    (tmp_path / "set" / "train" / "Ann" / "1.jpg").touch()
    with pytest.raises(EvaluationImpossible, match=f"--images {tmp_path}/set/train"):
        read_people(tmp_path / "set")


def test_what_a_system_hides_is_no_photo(images: Path) -> None:
    (images / ".trash").mkdir()
    (images / ".trash" / "old.jpg").touch()
    (images / "Ann" / "._Ann_0001.jpg").touch()
    people = read_people(images)
    assert [person.name for person in people] == ["Ann", "Bo Li"]
    assert len(people[0].photos) == 2


def test_names_of_any_script_are_names(tmp_path: Path) -> None:
    for name in ("王 小明", "李雷"):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for photo in ("照片 1.jpg", "照片 2.webp"):
            (folder / photo).touch()
    people = read_people(tmp_path / "images")
    listed = read_pairs(
        write(tmp_path, "\ufeff王 小明\t1\t2\n王 小明\t2\t李雷\t1\n"),
        people,
    )
    assert listed.pairs[1] == Pair(("王 小明", 1), ("李雷", 0), same=False)


def test_pairs_name_photos_by_number_and_people_by_tabs(images: Path) -> None:
    people = read_people(images)
    listed = read_pairs(write(images.parent, "1\nAnn\t1\t3\nAnn\t3\tBo Li\t2\n"), people)
    assert listed.pairs == (
        Pair(("Ann", 0), ("Ann", 1), same=True),
        Pair(("Ann", 1), ("Bo Li", 1), same=False),
    )
    assert listed.folds == (0, 0)


def test_a_list_may_have_folds(images: Path) -> None:
    people = read_people(images)
    fold = "Ann\t1\t3\nAnn\t1\tBo Li\t1\n"
    assert read_pairs(write(images.parent, f"2 1\n{fold}{fold}"), people).folds == (0, 0, 1, 1)


def test_blanks_separate_fields_where_there_are_no_tabs(images: Path) -> None:
    (images / "Dee").mkdir()
    (images / "Dee" / "Dee_0001.png").touch()
    people = read_people(images)
    assert len(read_pairs(write(images.parent, "Ann 1 3\nAnn 3 Dee 1\n\n"), people).pairs) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ann\t1\t3\nAnn\t1\tEve\t1\n", "line 2: there is no folder 'Eve'"),
        ("Ann\t1\t2\n", "line 1: 'Ann' has no photo number 2"),
        ("Ann\tx\t3\n", "has no photo number x"),
        ("Ann\t1\n", "expected 3 or 4 fields, found 2"),
        ("Ann\t1\t3\n", "matched and mismatched"),
        ("", "matched and mismatched"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(images: Path, text: str, told: str) -> None:
    with pytest.raises(EvaluationImpossible, match=told):
        read_pairs(write(images.parent, text), read_people(images))


def test_a_list_that_cannot_be_read_is_told(images: Path) -> None:
    path = images.parent / "pairs.txt"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(EvaluationImpossible, match="cannot be read"):
        read_pairs(path, read_people(images))
