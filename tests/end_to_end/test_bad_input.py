"""What is wrong outside the program ends in a sentence, and nothing is half-done."""

import shutil
from pathlib import Path

import pytest

from face_engine.models import default_folder
from face_engine.models.fetching import fetch
from face_engine.models.registry import OPENCV_ZOO
from tests.community_server.server_process import run_server, start


@pytest.mark.long
def test_a_damaged_model_stops_the_server_with_a_sentence(tmp_path: Path) -> None:
    fetch(OPENCV_ZOO, default_folder())
    models = tmp_path / "models"
    shutil.copytree(default_folder(), models)
    published = sorted((models / "opencv-zoo").glob("face_recognition*.onnx"))
    for file in published:
        whole = bytearray(file.read_bytes())
        whole[len(whole) // 2] ^= 1
        file.write_bytes(whole)
    assert published

    process = start(tmp_path / "data", database="", models=models)
    out, error = process.communicate(timeout=90)

    assert process.returncode == 1
    assert "ready" not in out
    assert "gatehouse models fetch" in error, "the command that mends it"
    assert "Traceback" not in error
    fetch(OPENCV_ZOO, models)
    with run_server(tmp_path / "data", database="", models=models) as server:
        assert (server.data / "setup-code").exists()
