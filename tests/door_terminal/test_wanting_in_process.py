"""A real door opens for whoever wants in: not for who walks past, nor before a demanded press."""

from pathlib import Path

import numpy as np
import pytest

from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import walk_past, walk_up
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import enrolled, furnish, in_step, running_door
from tests.door_terminal.samples import QUICK
from tier_link.estate_messages import Zone

pytestmark = pytest.mark.long

PIN, UNIT = "482915", "3-1-1201"


def comes(feed: CameraFeed, sample: SamplePerson) -> None:
    feed.show(walk_up(sample.cutout, np.random.default_rng(1), seconds=3))


def test_a_face_counts_after_a_press_alone_and_a_pin_without(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
) -> None:
    ada = enrolled(pack, people["Ada"], "a", pin=QUICK.hash(PIN))
    zone = Zone(min_face_px=40, cooldown_s=0)
    furnish(estate, ada, face_needs_presence=True, zone=zone)
    with running_door(data, "--camera", feed.url, input_presence="simulated") as door:
        in_step(estate)
        eventually(door.sees, within=60)
        assert door.state()["presence"] == "needed"
        shown = door.state()["frames"]
        comes(feed, people["Ada"])
        comes(feed, people["Fang"])
        eventually(lambda: door.state()["frames"] > shown + 30)
        state = door.state()
        assert (state["detections"], state["decisions"]) == (0, 0)
        assert door.pin(UNIT, PIN)["granted"]

        door.wire(presence=True)
        eventually(lambda: door.state()["presence"] == "")
        comes(feed, people["Ada"])
        eventually(lambda: len(door.openings()) == 2)
        door.wire()
        eventually(lambda: door.state()["presence"] == "needed")
        eventually(lambda: len(estate.entries) == 2)
        assert [one.credential for one in estate.entries] == ["pin", "face"]
        detections = door.state()["detections"]
        comes(feed, people["Ada"])
        shown = door.state()["frames"]
        eventually(lambda: door.state()["frames"] > shown + 30)
        assert door.state()["detections"] == detections
        assert len(door.openings()) == 2


@pytest.mark.soak  # rendered passers-by are in tests of vision in the quick suite
def test_a_resident_who_walks_past_looking_at_the_door_opens_nothing_and_is_no_entry(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
) -> None:
    furnish(estate, enrolled(pack, people["Ada"], "a"), zone=Zone(min_face_px=40, cooldown_s=0))
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        for seed in range(4):
            random = np.random.default_rng(seed)
            feed.show(walk_past(people["Ada"].cutout, random, seconds=1.0 + seed / 10))
            eventually(lambda: door.state()["watching"])
            eventually(lambda: not door.state()["watching"])
        assert door.state()["detections"] > 0
        assert door.state()["decisions"] == 0
        comes(feed, people["Ada"])
        eventually(lambda: len(door.openings()) == 1)
        eventually(lambda: len(estate.entries) == 1)


def test_a_door_without_the_input_that_is_demanded_says_so_and_takes_pins(
    estate: Estate, data: Path, feed: CameraFeed, pack: FacePack, people: dict[str, SamplePerson]
) -> None:
    furnish(
        estate,
        enrolled(pack, people["Ada"], "a", pin=QUICK.hash(PIN)),
        face_needs_presence=True,
    )
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(lambda: door.state()["vision"] == "presence-missing", within=60)
        eventually(lambda: estate.presences[-1].vision == "presence-missing")
        assert door.state()["presence"] == "missing"
        assert door.pin(UNIT, PIN)["granted"]
