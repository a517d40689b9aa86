"""A disk that is full to the last byte: residents get in, and the log is complete afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.door_terminal.estate import eventually, running_estate
from tests.door_terminal.processes import gatehouse, in_step, pair, running_door
from tests.door_terminal.samples import QUICK, configured, person
from tests.support.small_disks import fill, make_read_only, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=12) as disk:
        yield disk


@pytest.mark.long
def test_a_full_disk_keeps_no_resident_out_and_loses_no_entry(disk: Path, tmp_path: Path) -> None:
    data = disk / "door"
    with running_estate(tmp_path / "server") as estate:
        pair(estate, data)
        estate.configure(configured())
        estate.enroll(person("a", pin=QUICK.hash("482915")))
        told = []
        with running_door(data) as door:
            in_step(estate)
            estate.down()
            filler = fill(disk)
            for _ in range(40):
                outcome = door.pin("3-1-1201", "482915")
                assert outcome["granted"], outcome
                told.append(outcome["entry"])
            assert door.state()["reserve"] > 0
        fill(disk)
        with running_door(data) as door:  # starts on the full disk
            outcome = door.pin("3-1-1201", "482915")
            assert outcome["granted"]
            told.append(outcome["entry"])
            filler.unlink()
            estate.up()
            eventually(lambda: door.state()["reserve"] == 0, within=30)
            eventually(lambda: len(estate.entries) == len(told))
        assert {one.entry for one in estate.entries} == set(told)
        assert len(estate.entries) == len(told)


def test_a_disk_that_takes_nothing_at_the_start_is_named_and_no_traceback_is_all_there_is(
    disk: Path, tmp_path: Path
) -> None:
    data = disk / "door"
    with running_estate(tmp_path / "server") as estate:
        pair(estate, data)
    make_read_only(disk)
    refused = gatehouse("door", "run", "--data", str(data), "--port", "0", cwd=tmp_path)
    assert refused.returncode == 1
    assert f"{data} cannot be written: Read-only file system" in refused.stderr
    assert "Traceback" not in refused.stderr
