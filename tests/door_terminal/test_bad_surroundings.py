"""What is wrong around a door is named, and the PIN works until it is mended."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from access_rules.people import Category
from door_terminal.clock_store import load_clock, save_clock
from face_engine.enrollment import judge
from face_engine.models import FacePack, default_folder
from face_engine.models.fetching import fetch
from face_engine.models.registry import OPENCV_ZOO
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import walk_up
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import in_step, running_door
from tests.door_terminal.samples import QUICK, configured, packed, person
from tier_link.estate_messages import Zone
from tier_link.store import open_database

UNIT, PIN, GUEST_PIN = "3-1-1201", "482915", "730164"
DAY = 24 * 3600


@pytest.mark.long
def test_a_damaged_model_is_named_and_the_pin_works_until_it_is_mended(
    estate: Estate, data: Path, tmp_path: Path
) -> None:
    fetch(OPENCV_ZOO, default_folder())
    models = tmp_path / "models"
    shutil.copytree(default_folder() / "opencv-zoo", models / "opencv-zoo")
    damaged = sorted((models / "opencv-zoo").glob("face_recognition*.onnx"))
    for file in damaged:
        whole = bytearray(file.read_bytes())
        whole[len(whole) // 2] ^= 1
        file.write_bytes(whole)
    assert damaged
    estate.configure(configured())
    estate.enroll(person("a", unit=UNIT, pin=QUICK.hash(PIN)))
    with CameraFeed() as feed, running_door(data, "--camera", feed.url, models=models) as door:
        in_step(estate)
        eventually(lambda: door.state()["vision"] == "model-damaged", within=60)
        assert door.pin(UNIT, PIN)["granted"]
        estate.presences.clear()
        eventually(lambda: estate.presences and estate.presences[-1].vision == "model-damaged")
        said = (tmp_path.parent / f"{tmp_path.name}-door.log").read_text()
        assert "gatehouse models fetch" in said, "the command that mends it"
        assert "Traceback" not in said
        fetch(OPENCV_ZOO, models)
        eventually(door.sees, within=90)


@pytest.mark.long
def test_a_camera_that_goes_away_is_named_and_found_again_when_it_comes_back(
    estate: Estate, data: Path, pack: FacePack, people: dict[str, SamplePerson]
) -> None:
    template = packed(judge(pack, [people["Ada"].portrait]).template)
    ada = person("a", unit=UNIT, pin=QUICK.hash(PIN), template=template)
    estate.configure(configured(zone=Zone(min_face_px=40)))
    estate.enroll(ada)
    with CameraFeed() as feed, running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        vision = door.vision().pid
        feed.__exit__(None, None, None)
        eventually(lambda: door.state()["camera"] in {"camera-absent", "camera-silent"})
        assert door.pin(UNIT, PIN)["granted"]
        with CameraFeed(port=feed.port) as back:
            eventually(door.sees, within=60)
            assert door.vision().pid == vision, "nothing was restarted for it"
            back.show(walk_up(people["Ada"].cutout, np.random.default_rng(1), seconds=3))
            eventually(lambda: estate.entries and estate.entries[-1].credential == "face")
    assert estate.entries[-1].granted


def test_a_wrong_clock_keeps_nobody_out_but_those_with_hours_and_says_so(
    estate: Estate, data: Path
) -> None:
    guest = person(
        "b", category=Category.VISITOR, unit=UNIT, pin=QUICK.hash(GUEST_PIN), valid_until=2**36
    )
    estate.configure(configured())
    estate.enroll(person("a", unit=UNIT, pin=QUICK.hash(PIN)), guest)
    with running_door(data) as door:
        in_step(estate)
        assert door.pin(UNIT, GUEST_PIN)["granted"]
        assert door.stop() == 0
    estate.down()
    _reboot_with_a_clock_that_is_behind(data)
    with running_door(data) as door:
        assert not door.state()["time_known"]
        assert door.pin(UNIT, PIN)["granted"]
        refused = door.pin(UNIT, GUEST_PIN)
        assert (refused["granted"], refused["reason"]) == (False, "time-unknown")
        assert "does not know the time" in refused["message"]["en"]
        assert "时间" in refused["message"]["zh-CN"]
        estate.up()
        eventually(lambda: door.state()["time_known"])
        assert door.pin(UNIT, GUEST_PIN)["granted"]
        eventually(lambda: len(estate.entries) == 4)
    assert [one.time_known for one in estate.entries] == [True, False, False, True]


def _reboot_with_a_clock_that_is_behind(data: Path) -> None:
    """Leave behind what a door leaves that is switched on again with a dead clock battery."""
    engine = open_database(f"sqlite:///{data / 'door.sqlite'}")
    stored = load_clock(engine)
    save_clock(
        engine,
        replace(
            stored,
            boot_id="the boot before",
            news_boot_id="the boot before",
            floor=stored.floor + 90 * DAY,
        ),
    )
    engine.dispose()
