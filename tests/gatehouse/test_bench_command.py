import json
from pathlib import Path

from click.testing import CliRunner

from gatehouse import bench_command
from gatehouse.command import main


def test_an_installer_learns_the_mode_and_the_faces_a_second() -> None:
    outcome = CliRunner().invoke(main, ["bench"])
    assert outcome.exit_code == 0
    assert "A door here" in outcome.output
    assert "faces a second" in outcome.output


def test_a_program_gets_one_object_whose_figures_fit_together() -> None:
    outcome = CliRunner().invoke(main, ["bench", "--json"])
    found = json.loads(outcome.stdout)
    assert found["mode"] in {"local", "hybrid", "remote"}
    assert found["sighting_ms"] == found["detect_ms"] + bench_command.FRAMES * found["encode_ms"]
    assert found["faces_per_second"] > 0


def test_missing_models_are_told_with_the_command_that_brings_them(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(main, ["bench", "--models", str(tmp_path)])
    assert outcome.exit_code == 1
    assert "gatehouse models fetch" in outcome.output
    assert "Traceback" not in outcome.output
