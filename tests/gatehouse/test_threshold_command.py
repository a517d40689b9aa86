import json
from pathlib import Path

from click.testing import CliRunner, Result

from face_engine.calibration import load
from face_engine.error_budget import ErrorBudget
from gatehouse.threshold_command import threshold


def run(*arguments: str) -> Result:
    return CliRunner().invoke(threshold, arguments)


def test_a_measured_budget_is_said_to_be_measured() -> None:
    result = run("--people", "80", "--wrong-openings", "5")
    assert result.exit_code == 0
    assert "Support: measured" in result.stdout
    assert "second credential" not in result.stdout


def test_an_extrapolated_budget_is_said_to_be_so_and_a_second_credential_proposed() -> None:
    result = run("--people", "5000", "--wrong-openings", "0.5")
    assert "EXTRAPOLATED" in result.stdout
    assert "rule of three" in " ".join(result.stdout.split())
    assert "second credential" in result.stdout


def test_it_fits_one_screen_and_shows_the_threshold_only_when_asked() -> None:
    plain = run("--people", "5000").stdout
    assert len(plain.splitlines()) <= 24
    assert max(map(len, plain.splitlines())) <= 88
    assert "cosine" not in plain
    assert "cosine" in run("--people", "5000", "--verbose").stdout


def test_the_threshold_is_the_one_the_server_uses() -> None:
    values = json.loads(run("--people", "300", "--json").stdout)
    expected = ErrorBudget(1, 50).reckon(load("sface-2021dec-int8bq-centred"), 300)
    assert values["threshold"] == expected.value
    assert values["supported"] is expected.supported
    assert values["second_credential"] is not expected.supported
    assert values["fnir"]["low"] <= values["fnir"]["rate"] <= values["fnir"]["high"]


def test_a_file_that_is_no_calibration_is_a_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}", "utf-8")
    result = run("--people", "10", "--calibration", str(tmp_path / "other.json"))
    assert result.exit_code == 1
    assert "is no calibration" in result.output
    assert "Traceback" not in result.output
