"""A disk that is full to the last byte: residents get in, and the log is complete afterwards."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.door_terminal.estate import eventually, running_estate
from tests.door_terminal.processes import in_step, pair, running_door
from tests.door_terminal.samples import QUICK, configured, person


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small disk needs root to mount a tmpfs")
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk needs a system that lets root mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def test_a_full_disk_keeps_no_resident_out_and_loses_no_entry(
    small_disk: Path, tmp_path: Path
) -> None:
    data = small_disk / "door"
    with running_estate(tmp_path / "server") as estate:
        pair(estate, data)
        estate.configure(configured())
        estate.enroll(person("a", pin=QUICK.hash("482915")))
        told = []
        with running_door(data) as door:
            in_step(estate)
            estate.down()
            fill(small_disk)
            for _ in range(40):
                outcome = door.pin("3-1-1201", "482915")
                assert outcome["granted"], outcome
                told.append(outcome["entry"])
            assert door.state()["reserve"] > 0
        fill(small_disk)
        with running_door(data) as door:  # starts on the full disk
            outcome = door.pin("3-1-1201", "482915")
            assert outcome["granted"]
            told.append(outcome["entry"])
            (small_disk / "filler").unlink()
            estate.up()
            eventually(lambda: door.state()["reserve"] == 0, within=30)
            eventually(lambda: len(estate.entries) == len(told))
        assert {one.entry for one in estate.entries} == set(told)
        assert len(estate.entries) == len(told)
