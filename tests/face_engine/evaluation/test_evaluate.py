"""The whole evaluation on a small made-up folder, and, where it is here, on lfw-dev."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from face_engine.degradations import Degradation
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation import Options, evaluate, report
from face_engine.evaluation.calibrating import calibrate, scores_between
from face_engine.evaluation.encoding import encode_photos
from face_engine.faces import Detector, Face, Image
from face_engine.models import FacePack
from tests.face_engine.pictures import jpeg, relit


@pytest.fixture(scope="module")
def folder(portraits: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people with three photos each, two with one, and a photo without a face."""
    images = tmp_path_factory.mktemp("photos")
    for number, portrait in enumerate(portraits[:5]):
        person = images / f"p{number}"
        person.mkdir()
        for photo in range(3 if number < 3 else 1):
            data = jpeg(relit(portrait, 1 - 0.15 * photo, 5 * photo))
            (person / f"p{number}_{photo + 1:04}.jpg").write_bytes(data)
    (images / "p0" / "p0_0009.jpg").write_bytes(jpeg(np.full((200, 200, 3), 90, np.uint8)))
    (images / "p1" / "p1_0009.png").write_bytes(b"not a picture")
    return images


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "pairs.txt"
    path.write_text("p0\t1\t2\np1\t2\t3\np0\t1\tp1\t1\np2\t1\tp3\t1\n", "utf-8")
    return path


@pytest.fixture
def options(folder: Path, pairs: Path, tmp_path: Path) -> Options:
    return Options(images=folder, pairs=pairs, cache=tmp_path, gallery_photos=2)


def test_an_evaluation_measures_pairs_identification_and_failures(
    pack: FacePack,
    options: Options,
) -> None:
    result = report(evaluate(pack, options))
    assert json.loads(json.dumps(result)) == result
    assert result["accuracy"] == 1
    assert result["accuracy_low"] < 1
    assert (result["people"], result["photos"]) == (5, 13)
    assert result["failure_to_enroll"] == pytest.approx(2 / 13)
    assert (result["gallery_size"], result["mated_probes"], result["non_mated_probes"]) == (3, 3, 2)
    for row in result["identification"]:
        assert {"fpir", "threshold", "fnir", "fnir_low", "fnir_high"} <= row.keys()
        assert row["fnir"] == 0
        assert not row["supported"]


def test_pairs_alone_are_enough_and_say_what_is_missing(
    pack: FacePack,
    options: Options,
) -> None:
    result = report(evaluate(pack, replace(options, probe_frames=3)))
    assert result["accuracy"] == 1
    assert result["identification"] == []
    assert "identification needs" in result["note"]


def test_without_pairs_only_identification_is_measured(pack: FacePack, options: Options) -> None:
    result = report(evaluate(pack, replace(options, pairs=None)))
    assert result["accuracy"] is None
    assert result["identification"]
    with pytest.raises(EvaluationImpossible):
        evaluate(pack, replace(options, pairs=None, probe_frames=3))


def test_too_few_strangers_calibrate_nothing(pack: FacePack, options: Options) -> None:
    with pytest.raises(EvaluationImpossible, match="at least 100"):
        calibrate(evaluate(pack, options), source="test")


class CountingDetector:
    """Counts the searches of whole photos; looks again at one face do not count."""

    def __init__(self, real: Detector) -> None:
        self._real = real
        self.searches = 0

    def detect(
        self,
        image: Image,
        *,
        longest_side: int | None = None,
        unsure: bool = False,
    ) -> list[Face]:
        self.searches += longest_side is not None
        return self._real.detect(image, longest_side=longest_side, unsure=unsure)

    def landmarks_near(
        self, image: Image, expected: NDArray[np.float64], farthest: float
    ) -> list[NDArray[np.float64] | None]:
        return self._real.landmarks_near(image, expected, farthest)


def test_a_stopped_run_goes_on_where_it_was(pack: FacePack, folder: Path, tmp_path: Path) -> None:
    photos = sorted(folder.rglob("*.jpg"))
    counting = CountingDetector(pack.detector)
    counted = replace(pack, detector=counting)
    first = encode_photos(counted, photos[:5], tmp_path)
    assert counting.searches == 5
    again = encode_photos(counted, photos, tmp_path)
    assert counting.searches == len(photos)
    np.testing.assert_array_equal(again.plain[:5], first.plain)
    encode_photos(counted, photos, tmp_path)
    assert counting.searches == len(photos)


def test_whatever_changes_a_vector_changes_what_the_cache_knows(
    pack: FacePack,
    folder: Path,
    tmp_path: Path,
) -> None:
    photos = sorted(folder.rglob("*.jpg"))[:2]
    counting = CountingDetector(pack.detector)
    counted = replace(pack, detector=counting)
    encode_photos(counted, photos, tmp_path)
    for other in (replace(counted, template_space="other"), replace(counted, name="other")):
        counting.searches = 0
        encode_photos(other, photos, tmp_path)
        assert counting.searches == 2
    counting.searches = 0
    degraded = encode_photos(counted, photos, tmp_path, degradation=Degradation.COMPRESSION)
    assert counting.searches == 4  # in the photo, and in its copy
    assert degraded.found.all()
    assert not np.array_equal(degraded.plain, encode_photos(counted, photos, tmp_path).plain)


def test_two_runs_at_once_share_one_cache(pack: FacePack, folder: Path, tmp_path: Path) -> None:
    photos = sorted(folder.rglob("*.jpg"))
    halves = photos[:7], photos[4:]
    with ThreadPoolExecutor(2) as runs:
        list(runs.map(lambda half: encode_photos(pack, half, tmp_path), halves))
    counting = CountingDetector(pack.detector)
    encode_photos(replace(pack, detector=counting), photos, tmp_path)
    assert counting.searches == 0


def test_a_cache_that_cannot_be_used_is_told_with_its_remedy(
    pack: FacePack,
    folder: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "photos.sqlite").write_bytes(b"no database" * 100)
    for cache in (tmp_path / "file", tmp_path / "damaged"):
        with pytest.raises(EvaluationImpossible, match="name another folder with --cache"):
            encode_photos(pack, sorted(folder.rglob("*.jpg")), cache)


def test_each_unusable_photo_is_named_with_its_reason(pack: FacePack, options: Options) -> None:
    assert report(evaluate(pack, options))["failures"] == [
        {"photo": "p0/p0_0009.jpg", "reason": "no-face"},
        {"photo": "p1/p1_0009.png", "reason": "not-an-image"},
    ]


def test_where_nobody_has_a_single_photo_every_third_person_is_a_stranger(
    pack: FacePack,
    options: Options,
    tmp_path: Path,
) -> None:
    images = tmp_path / "several"
    images.mkdir()
    for name in ("p0", "p1", "p2"):
        (images / name).symlink_to(options.images / name)
    result = report(evaluate(pack, replace(options, images=images, pairs=None)))
    assert (result["gallery_size"], result["non_mated_probes"]) == (2, 1)
    assert "every third person is a stranger" in result["note"]


def test_degraded_probes_are_reported_with_the_gate_and_without(
    pack: FacePack,
    options: Options,
) -> None:
    every = replace(options, degradations=tuple(Degradation))
    results = report(evaluate(pack, every))["degradations"]
    assert [each["name"] for each in results] == list(Degradation)
    for each in results:
        for way in ("without_gate", "with_gate"):
            missed = each[way]["failure_to_acquire"]["value"]
            for row in each[way]["rows"]:
                fnir = row["fnir"]["value"] if row["fnir"] else 0
                # Whoever was not acquired, and of the others those not found.
                assert row["refused"]["value"] == pytest.approx(missed + (1 - missed) * fnir)


def test_scores_between_people_count_each_pair_once() -> None:
    np.testing.assert_allclose(
        scores_between(np.eye(3, dtype=np.float32)[[0, 0, 1]]),
        [1, 0, 0],
    )


def test_pairs_of_lfw_dev_are_told_right(
    pack: FacePack,
    shared: Path,
    tmp_path: Path,
) -> None:
    """The first 30 pairs of each kind; the full figures stand in the documentation."""
    data = shared / "data" / "lfw-dev"
    lines = (data / "pairs.txt").read_text("utf-8").splitlines()
    chosen = lines[1:31] + lines[1101:1131]
    images = tmp_path / "images"
    images.mkdir()
    for name in {field for line in chosen for field in line.split("\t") if not field.isdigit()}:
        (images / name).symlink_to(data / "images" / name)
    (tmp_path / "pairs.txt").write_text("\n".join(chosen), "utf-8")
    result = report(
        evaluate(
            pack,
            Options(images=images, pairs=tmp_path / "pairs.txt", cache=tmp_path / "cache"),
        ),
    )
    assert result["accuracy"] >= 0.95
    assert result["failure_to_enroll"] == 0
