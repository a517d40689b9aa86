"""A door's health is measured, and what cannot be measured is not made up."""

from pathlib import Path

import pytest

from access_rules.decision import DecisionReason
from access_rules.people import Credential
from door_terminal.decisions.decider import Outcome
from door_terminal.health import LAST, Latency, ModeWatch, disk_free, temperature
from door_terminal.probe import Speed
from tests.door_terminal.conftest import Time


def decided(took_ms: int, *, released_ms: int = 0, by: Credential = Credential.FACE) -> Outcome:
    return Outcome(
        "e",
        granted=released_ms > 0,
        reason=DecisionReason.WITHIN_RULES,
        credential=by,
        needed_ns=1_000_000,
        decided_ns=1_000_000 + took_ms * 1_000_000,
        released_ns=1_000_000 + released_ms * 1_000_000 if released_ms else 0,
    )


def test_the_median_is_of_the_last_decisions_by_face_up_to_the_gates_answer() -> None:
    latency = Latency()
    assert latency.median() == (0.0, 0)
    latency.note(decided(900, by=Credential.PIN))
    for took in (40, 50, 700):
        latency.note(decided(took))
    latency.note(decided(20, released_ms=60))
    assert latency.median() == (55.0, 4)
    for _ in range(LAST):
        latency.note(decided(30))
    assert latency.median() == (30.0, LAST)


def test_a_mode_lasts_until_another_comes(time: Time, caplog: pytest.LogCaptureFixture) -> None:
    watch = ModeWatch(lambda: time.now)
    with caplog.at_level("INFO"):
        watch.note("local", None)
        time.now += 60
        assert watch.note("local", Speed(7, 14)) == 60
        assert watch.note("remote", Speed(300, 400)) == 0
    assert [record.getMessage() for record in caplog.records] == [
        "matching mode=local before=- detect_ms=0 encode_ms=0",
        "matching mode=remote before=local detect_ms=300 encode_ms=400",
    ]


def zone(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir()
    (folder / name / "temp").write_text(text)


def test_the_warmest_part_counts_and_broken_sensors_do_not(tmp_path: Path) -> None:
    assert temperature(tmp_path) is None
    zone(tmp_path, "thermal_zone0", "nonsense")
    zone(tmp_path, "thermal_zone1", "-273150\n")
    assert temperature(tmp_path) is None
    zone(tmp_path, "thermal_zone2", "48312\n")
    zone(tmp_path, "thermal_zone3", "51500\n")
    zone(tmp_path, "cooling_device0", "90000\n")
    assert temperature(tmp_path) == 51.5


def test_a_disk_that_is_gone_has_no_free_bytes_known(tmp_path: Path) -> None:
    assert disk_free(tmp_path / "gone") is None
    assert (disk_free(tmp_path) or 0) > 0
