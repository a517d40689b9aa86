import json
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from face_engine.models import default_folder, load_pack
from face_engine.models.fetching import fetch
from face_engine.models.registry import OPENCV_ZOO
from gatehouse.evaluate_command import evaluate


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people with two photos each and one with one, cut from InsightFace's sample photo."""
    fetch(OPENCV_ZOO, default_folder())
    photo = resources.files("insightface") / "data" / "images" / "t1.jpg"
    picture = np.asarray(cv2.imread(str(photo)), np.uint8)
    folder = tmp_path_factory.mktemp("images")
    for number, face in enumerate(load_pack().detector.detect(picture)[:3]):
        x, y, w, h = (max(0, int(value)) for value in face.box)
        part = picture[max(0, y - h // 2) : y + h * 3 // 2, max(0, x - w // 3) : x + w * 4 // 3]
        (folder / f"p{number}").mkdir()
        for copy in range(2 if number < 2 else 1):
            lit = np.asarray(np.clip(part * (1 - 0.2 * copy), 0, 255), np.uint8)
            cv2.imwrite(str(folder / f"p{number}" / f"p{number}_{copy + 1:04}.jpg"), lit)
    return folder


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(evaluate, arguments)
    return result.exit_code, result.stdout, result.output


def test_json_is_one_object_with_accuracy_and_identification(images: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("1\np0\t1\t2\np0\t1\tp1\t1\n", "utf-8")
    code, stdout, _ = run(
        *("--images", str(images), "--pairs", str(pairs)),
        *("--cache", str(tmp_path / "cache"), "--json"),
    )
    assert code == 0
    result = json.loads(stdout)
    assert result["accuracy"] == 1
    assert {"fpir", "threshold", "fnir", "fnir_low", "fnir_high"} <= result["identification"][
        0
    ].keys()


def test_the_table_says_what_was_measured(images: Path, tmp_path: Path) -> None:
    code, stdout, _ = run("--images", str(images), "--cache", str(tmp_path))
    assert code == 0
    assert "5 photos of 3 people" in stdout
    assert "too few strangers to support this" in stdout


def test_a_folder_that_is_none_of_people_is_a_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    code, _, output = run("--images", str(tmp_path / "images"), "--cache", str(tmp_path / "cache"))
    assert code == 1
    assert "one folder per person" in output
    assert "Traceback" not in output


def test_a_calibration_is_not_made_of_too_little(images: Path, tmp_path: Path) -> None:
    target = tmp_path / "calibration.json"
    code, _, output = run(
        *("--images", str(images), "--cache", str(tmp_path / "cache")),
        *("--write-calibration", str(target)),
    )
    assert code == 1
    assert "at least 100" in output
    assert not target.exists()


def test_groups_that_nobody_belongs_to_are_a_plain_sentence(images: Path, tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("person,group\nnobody,x\n", "utf-8")
    code, _, output = run(
        *("--images", str(images), "--cache", str(tmp_path / "cache")),
        *("--groups", str(tmp_path / "groups.csv")),
    )
    assert code == 1
    assert "names no group of at least 20 people" in output


def test_two_configurations_are_compared_on_the_same_photos(images: Path, tmp_path: Path) -> None:
    code, stdout, _ = run(
        *("--images", str(images), "--cache", str(tmp_path)),
        *("--against", "1,1,none", "--json"),
    )
    assert code == 0
    comparison = json.loads(stdout)["comparison"]
    assert comparison["against"] == {"gallery_photos": 1, "probe_frames": 1, "mirror": "none"}
    assert {"value", "low", "high"} == comparison["rows"][0]["difference"].keys()


def test_two_packs_are_compared_on_the_same_photos(images: Path, tmp_path: Path) -> None:
    code, stdout, _ = run(
        *("--images", str(images), "--cache", str(tmp_path)),
        *("--pack", "opencv-zoo-int8", "--against-pack", "opencv-zoo", "--json"),
    )
    assert code == 0
    result = json.loads(stdout)
    assert result["template_space"] == "sface-2021dec-int8-centred"
    assert result["pack_comparison"]["against"] == "opencv-zoo"
    assert {"value", "low", "high"} == result["pack_comparison"]["rows"][0]["difference"].keys()


@pytest.mark.parametrize("text", ["1,1", "0,1,none", "1,1,sideways"])
def test_what_is_no_configuration_is_refused(images: Path, text: str) -> None:
    code, _, output = run("--images", str(images), "--against", text)
    assert code == 2
    assert "--against" in output


@pytest.mark.parametrize(
    ("suffix", "opening"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_curves_are_drawn_of_what_was_measured(
    images: Path,
    tmp_path: Path,
    suffix: str,
    opening: bytes,
) -> None:
    pytest.importorskip("matplotlib", reason="the extra 'evaluation' is not installed")
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("1\np0\t1\t2\np0\t1\tp1\t1\n", "utf-8")
    target = tmp_path / f"curves.{suffix}"
    code, _, output = run(
        *("--images", str(images), "--pairs", str(pairs)),
        *("--cache", str(tmp_path / "cache"), "--plot", str(target)),
    )
    assert code == 0, output
    assert target.read_bytes().startswith(opening)


def test_without_the_library_for_plots_one_sentence_says_what_to_install(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gatehouse.evaluation_plots.available", lambda: False)
    code, _, output = run("--images", str(images), "--plot", str(tmp_path / "curves.png"))
    assert code == 1
    assert "pip install 'gatehouse-access[evaluation]'" in output


def test_a_plot_of_no_known_kind_is_refused_before_anything_is_encoded(
    images: Path,
    tmp_path: Path,
) -> None:
    code, _, output = run("--images", str(images), "--plot", str(tmp_path / "curves.txt"))
    assert code == 1
    assert ".png, .svg or .pdf" in output
