import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from face_engine.models import default_folder
from face_engine.models.fetching import fetch
from face_engine.models.files import pack_folder
from face_engine.models.registry import OPENCV_ZOO
from gatehouse.models_command import models


@pytest.fixture(scope="module")
def published() -> Path:
    folder = default_folder()
    fetch(OPENCV_ZOO, folder)
    return pack_folder(folder, OPENCV_ZOO)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEHOUSE_MODELS", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(models, arguments)
    return result.exit_code, result.output


def state_of_default(own_folder: Path) -> str:
    code, output = run("list", "--json")
    assert code == 0
    listed = json.loads(output)
    assert listed["folder"] == str(own_folder)
    return str(listed["packs"][0]["state"])


def test_fetch_list_and_verify_agree(published: Path, own_folder: Path) -> None:
    assert state_of_default(own_folder) == "not here"
    code, output = run("verify", "--json")
    assert (code, json.loads(output)["code"]) == (1, "models-missing")

    code, output = run("fetch", "--from", str(published), "--json")
    assert code == 0
    assert {file["source"] for file in json.loads(output)["files"]} == {"folder"}
    assert state_of_default(own_folder) == "here"
    code, output = run("verify", "--json")
    assert (code, json.loads(output)["usable"]) == (0, True)


def test_a_damaged_file_is_told_and_mended(published: Path, own_folder: Path) -> None:
    run("fetch", "--from", str(published))
    victim = pack_folder(own_folder, OPENCV_ZOO) / OPENCV_ZOO.files[0].name
    victim.write_bytes(b"\0" * 10)
    code, output = run("verify")
    assert code == 1
    assert f"{victim.name}: model-damaged" in output
    assert "gatehouse models fetch" in output
    assert "Traceback" not in output

    code, output = run("fetch", "--from", str(published))
    assert code == 0
    assert f"{victim.name}: from the folder" in output
    assert run("verify")[0] == 0


def test_an_unknown_pack_is_a_plain_sentence(own_folder: Path) -> None:
    code, output = run("fetch", "--pack", "bufalo")
    assert code == 1
    assert "There is no model pack 'bufalo'" in output
    assert not list(own_folder.iterdir())


@pytest.mark.parametrize("pack", ["buffalo_l", "insightface-liveness"])
def test_a_pack_of_insightface_shows_its_licence_and_asks(pack: str, own_folder: Path) -> None:
    code, output = run("fetch", "--pack", pack)  # no answer on standard input
    assert code == 1
    assert "non-commercial research purposes only" in output
    assert not list(own_folder.iterdir())


def test_insightfaces_liveness_is_no_other_file(own_folder: Path) -> None:
    placed = own_folder / "insightface" / "addons" / "liveness.onnx"
    placed.parent.mkdir(parents=True)
    placed.write_bytes(b"another model")
    code, output = run("verify", "--pack", "insightface-liveness")
    assert code == 1
    assert "liveness.onnx: model-damaged" in output
    assert "gatehouse models fetch --pack insightface-liveness" in output
