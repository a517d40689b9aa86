"""QR passes before a real door: its processes, camera, link, TLS, database and gate file."""

import time
from pathlib import Path

import numpy as np
import pytest

from gatehouse.camera_feed import CameraFeed
from gatehouse.pass_scenes import show_for
from gatehouse.scenes import Image
from tests.door_terminal.estate import DOOR, Estate, eventually
from tests.door_terminal.processes import in_step, running_door
from tests.door_terminal.samples import configured, person
from tests.support.passes import PassMaker
from tier_link.estate_messages import Zone
from tier_link.passes import door_tag

RESIDENT = "02" * 8


@pytest.mark.long
def test_a_door_takes_passes_alone_and_refuses_each_that_does_not_hold_with_its_reason(
    estate: Estate, data: Path
) -> None:
    sunny = PassMaker(int(time.time()))
    resident = person("b", pass_id=RESIDENT, pass_key=sunny.phone_key)
    estate.configure(configured(pass_allowed=True, passes=sunny.rules(), zone=Zone(cooldown_s=0)))
    estate.enroll(resident)
    once = sunny.fixed("03" * 8, uses=1, doors=(door_tag(DOOR),))
    now = sunny.now
    random = np.random.default_rng(5)

    def held_up(text: str) -> list[Image]:
        return list(show_for(text, random, seconds=0.2)) * 4

    with CameraFeed() as feed, running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        estate.down()  # from here on the door is alone
        eventually(lambda: not door.state()["link"])

        def show(text: str) -> tuple[bool, str]:
            decisions = door.state()["decisions"]
            feed.show(held_up(text))
            eventually(lambda: door.state()["decisions"] == decisions + 1)
            last = door.state()["last"]
            return last["granted"], last["reason"]

        assert show(once) == (True, "within-rules")
        photographed = sunny.code(now=time.time())
        assert show(photographed) == (True, "within-rules")
        # Passes that name none of ours share one hold: never two of them in a row.
        for text, reason in (
            (PassMaker(now, root=sunny.root).fixed(), "pass-forged"),
            (once, "pass-used-up"),
            (sunny.code(now=time.time() - 300), "pass-stale"),
            (PassMaker(now).fixed(), "pass-foreign"),
            (photographed, "pass-used-up"),
            (sunny.fixed(begins=now - 7200, ends=now - 3600), "validity-over"),
        ):
            assert show(text) == (False, reason)
        opened = door.openings()
        assert len(opened) == 2
        door.kill()
    with CameraFeed() as feed, running_door(data, "--camera", feed.url) as door:
        eventually(door.sees, within=60)
        feed.show(held_up(once))
        eventually(lambda: door.state()["decisions"] == 1)
        assert door.state()["last"]["reason"] == "pass-used-up"
        assert door.openings() == opened
        estate.up()
        eventually(lambda: len(estate.entries) == 9, within=30)
        assert [one.credential for one in estate.entries] == ["pass"] * 9
        assert [one.entry for one in estate.granted()] == opened
        assert [one.pass_id for one in estate.granted()] == ["03" * 8, RESIDENT]
        assert estate.granted()[1].person == resident.person
