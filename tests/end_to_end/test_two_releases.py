"""Tiers of two releases serve one estate, and each can be brought up to the newer one by itself.

`GATEHOUSE_FORMER_RELEASE` names a clone of an earlier release in which `make setup` has been run.
The cloud goes first, as docs/operations.md says, so it is always the newer one.
"""

import os
from pathlib import Path
from typing import Final

import pytest

from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import INVITED, Demo
from gatehouse.local_estate import LocalEstate
from gatehouse.sample_people import NAMES

FORMER: Final = os.environ.get("GATEHOUSE_FORMER_RELEASE", "")

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not FORMER, reason="GATEHOUSE_FORMER_RELEASE names no earlier release"),
]


def walked(estate: LocalEstate) -> tuple[Demo, str]:
    """Enroll some of six people, and let all six walk up to a door of its own."""
    with CameraFeed() as feed:
        demo = Demo(estate, feed, print)
        door = demo.run()
    return demo, door


@pytest.mark.parametrize("older", [("door",), ("server",), ("server", "door")])
def test_an_enrollment_and_an_entry_across_two_releases(
    tmp_path: Path, older: tuple[str, ...]
) -> None:
    releases = {tier: Path(FORMER) for tier in older}
    with LocalEstate(tmp_path, releases=releases) as estate:
        demo, _ = walked(estate)
    assert demo.result.admitted == list(INVITED)
    assert demo.result.refused == [name for name in NAMES if name not in INVITED]


def test_an_estate_is_brought_up_to_date_one_machine_after_another(tmp_path: Path) -> None:
    releases = dict.fromkeys(("server", "door"), Path(FORMER))
    with LocalEstate(tmp_path, releases=releases) as estate:
        _, door = walked(estate)
        people = len(INVITED)
        for tier in (estate.server, estate.doors[door]):
            tier.stop()
            tier.release = None
            tier.start()
            if tier is estate.server:
                estate.await_health(estate.server, estate.server_address)
            estate.await_door(door, people)
        with estate.staff() as staff:
            assert len(staff.call("GET", "people")) == people
            assert staff.call("GET", "entries?after=0")["entries"]
