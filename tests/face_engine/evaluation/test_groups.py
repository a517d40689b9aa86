from pathlib import Path

import numpy as np
import pytest

from face_engine.encoder import normalise
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.bounds import share
from face_engine.evaluation.groups import compare_groups, false_matches, read_groups
from face_engine.evaluation.identification import cast, run_trial
from face_engine.evaluation.self_calibration import public_calibration, simulate
from face_engine.evaluation.subjects import Mirror, Subject


def people(count: int, alike: float, seed: int, photos: int = 2) -> list[Subject]:
    """People whose faces share a direction, with photos that differ a little."""
    source = np.random.default_rng(seed)
    common = source.standard_normal(48)
    subjects = []
    for number in range(count):
        face = source.standard_normal(48) + alike * common
        own = normalise(face + 0.25 * source.standard_normal((1 + number % photos, 48)))
        subjects.append(Subject(f"p{seed}-{number}", own, own, np.ones(len(own), np.float32)))
    return subjects


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    """300 of all kinds, and 60 who resemble one another."""
    return people(300, 0.0, 1) + people(60, 0.8, 2)


@pytest.fixture(scope="module")
def groups_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("groups") / "groups.csv"
    rows = [f"p2-{number},alike" for number in range(60)]
    rows += ["p2-0,tiny", "nobody,alike"]
    file.write_text("\n".join(["person,group", *rows]), "utf-8")
    return file


def test_groups_are_read_and_the_rest_follows(subjects: list[Subject], groups_file: Path) -> None:
    groups = read_groups(groups_file, subjects)
    assert list(groups) == ["alike", "(no group)"]
    assert (groups["alike"].sum(), groups["(no group)"].sum()) == (60, 300)


@pytest.mark.parametrize("text", ["", "name,group\na,b\n", "person,group\nnobody,x\n"])
def test_a_file_without_groups_is_refused(
    subjects: list[Subject],
    tmp_path: Path,
    text: str,
) -> None:
    (tmp_path / "groups.csv").write_text(text, "utf-8")
    with pytest.raises(EvaluationImpossible):
        read_groups(tmp_path / "groups.csv", subjects)


def test_people_who_resemble_one_another_have_more_false_matches_at_everybodys_threshold(
    subjects: list[Subject],
    groups_file: Path,
) -> None:
    trial = run_trial(subjects, cast(subjects, gallery_photos=1, probe_frames=1), Mirror.NONE)
    alike, rest = compare_groups(subjects, read_groups(groups_file, subjects), trial)
    assert alike.people == 60
    assert alike.enrolled == 30
    for group, more in ((alike, True), (rest, False)):
        for row in group.verification:
            assert row.false is not None
            assert row.false.low <= row.false.value <= row.false.high
            assert (row.false.low > row.asked) is more
    assert alike.identification[0].false is not None
    assert alike.identification[0].false.value > 0.3


def test_false_matches_are_counted_between_different_people_only() -> None:
    vectors = np.eye(30, dtype=np.float32)
    vectors[1] = vectors[0]
    rate = false_matches(vectors, 0.5)
    assert rate.value == pytest.approx(2 / (30 * 29))
    assert rate.low == 0
    assert rate.high > rate.value


def test_a_share_is_bounded_by_people_and_none_without_any() -> None:
    assert share(np.zeros(3), np.zeros(3)) is None
    by_one = share(np.array([20.0, 0, 0, 0]), np.full(4, 20.0))
    spread = share(np.full(4, 5.0), np.full(4, 20.0))
    assert by_one is not None
    assert spread is not None
    assert by_one.value == spread.value == 0.25
    assert (spread.low, spread.high) == (0.25, 0.25)
    assert by_one.high - by_one.low > 0.5


def test_an_estate_of_people_alike_keeps_its_rate_only_with_its_own_calibration(
    subjects: list[Subject],
) -> None:
    public = public_calibration(subjects[:300], gallery_photos=1, mirror=Mirror.NONE)
    for row in simulate(subjects[300:], public, gallery_photos=1, mirror=Mirror.NONE):
        assert row.gallery_size == 30
        assert row.public.fpir.value > 3 * row.asked
        assert row.own.fpir.value < 2 * row.asked
        assert row.cautious.fpir.value <= row.own.fpir.value
        assert row.own.fnir is not None
