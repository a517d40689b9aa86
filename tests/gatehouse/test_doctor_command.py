"""`gatehouse doctor` says in plain words what is wrong, and what to do."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatehouse.doctor_command import doctor


def test_a_machine_that_is_set_up_has_no_problem() -> None:
    outcome = CliRunner().invoke(doctor, ["--json"])
    findings = json.loads(outcome.output)
    assert [row for row in findings if row["state"] == "problem"] == []
    assert outcome.exit_code == 0


def test_missing_models_are_a_problem_with_the_command_that_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_MODELS", str(tmp_path))
    outcome = CliRunner().invoke(doctor, [])
    assert outcome.exit_code == 1
    assert "gatehouse models fetch" in outcome.output
