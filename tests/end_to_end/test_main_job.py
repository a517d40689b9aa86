"""A person enrolls with a photo, and the gate opens for that person and for nobody else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import INVITED, Demo
from gatehouse.local_estate import LocalEstate
from gatehouse.sample_people import NAMES
from tests.support.databases import databases

STRANGERS = [name for name in NAMES if name not in INVITED]


@pytest.mark.long
def test_the_demo_opens_for_the_enrolled_and_for_nobody_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gatehouse", "demo", "--once", "--json", "--folder", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["enrolled"] == result["admitted"] == list(INVITED)
    assert result["refused"] == STRANGERS
    assert set(result["seconds"]) == {
        "cloud", "server", "pairing", "door", "assessment", "enrollment", "roster", "walk"
    }  # fmt: skip


@pytest.mark.soak  # tests/browser walks the whole path on PostgreSQL in the quick suite
def test_the_same_on_postgresql_with_one_opening_per_person(tmp_path: Path) -> None:
    with (
        databases("postgresql", 2) as (cloud, server),
        LocalEstate(tmp_path, cloud_database=cloud, server_database=server) as estate,
        CameraFeed() as feed,
    ):
        demo = Demo(estate, feed, print)
        door = demo.run()
        assert demo.result.admitted == list(INVITED)
        assert demo.result.refused == STRANGERS
        openings = (estate.folder / f"door-{door}" / "gate.jsonl").read_text().splitlines()
        assert len(openings) == len(INVITED)
