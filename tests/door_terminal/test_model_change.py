"""A door follows the estate's model and settings, and goes back to what worked: real processes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from door_terminal.database import open_door_database
from door_terminal.settings import Settings
from door_terminal.vision.plan_store import keep_plan
from door_terminal.vision.trial import MOST_DEATHS, Look, Plan
from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import walk_up
from tests.door_terminal.estate import Estate, eventually, running_estate
from tests.door_terminal.processes import Door, gatehouse, in_step, pair, running_door
from tests.door_terminal.samples import QUICK, configured, person
from tier_link.estate_messages import MatchAnswer, Zone

pytestmark = pytest.mark.long

PIN, UNIT = "482915", "3-1-1201"


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with running_estate(tmp_path / "server") as estate:
        yield estate


@pytest.fixture
def data(estate: Estate, tmp_path: Path, pack: FacePack) -> Path:
    del pack  # the models are needed
    data = tmp_path / "door"
    pair(estate, data)
    return data


def told(estate: Estate) -> tuple[str, str]:
    """Return pack and trouble as the server last heard of them."""
    return estate.presences[-1].model_pack, estate.presences[-1].vision


def _die(door: Door) -> None:
    """Kill vision, and wait until another one works."""
    starts = door.state()["vision_starts"]
    door.vision().kill()
    eventually(lambda: door.state()["vision_starts"] > starts, within=60)
    eventually(lambda: door.state()["model_pack"], within=60)


def status(door: Door) -> subprocess.CompletedProcess[str]:
    return gatehouse("door", "status", "--data", str(door.data), cwd=door.data.parent)


@pytest.mark.soak  # trials and ways back are tried without processes
def test_a_door_changes_to_the_estates_pack_and_keeps_its_own_where_it_cannot(
    estate: Estate, data: Path, people: dict[str, SamplePerson]
) -> None:
    estate.configure(configured(model_pack="opencv-zoo"))
    estate.enroll(person("a", pin=QUICK.hash(PIN)))
    with CameraFeed() as feed, running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        first = door.vision().pid

        estate.configure(configured(model_pack="opencv-zoo-int8"))
        eventually(lambda: told(estate) == ("opencv-zoo-int8", ""), within=60)
        second = door.vision().pid
        assert second != first

        ada = next(iter(estate.roster))
        estate.answer_match = lambda _: MatchAnswer(ada, "match")
        estate.configure(
            configured(model_pack="buffalo_s", template_space="another", zone=Zone(min_face_px=40))
        )
        eventually(lambda: told(estate)[1] not in {"", "vision-starting"}, within=60)
        assert told(estate) == ("opencv-zoo-int8", "models-missing")
        assert door.vision().pid == second
        assert door.state()["camera"] == ""
        said = status(door).stdout
        assert "opencv-zoo-int8, since buffalo_s does not come up here (models-missing)" in said
        feed.show(walk_up(people["Ada"].cutout, np.random.default_rng(1), seconds=3))
        eventually(lambda: estate.entries)
        assert (estate.entries[0].granted, estate.entries[0].matched) == (True, "remote")

        estate.configure(configured(model_pack="opencv-zoo-int8", frames=3))
        eventually(lambda: told(estate) == ("opencv-zoo-int8", ""), within=60)
        assert door.vision().pid == second


def test_settings_under_which_vision_dies_go_back_and_rules_do_not(
    estate: Estate, data: Path
) -> None:
    look = Look(40, 300, 35, 2, liveness=False, passes=False)
    engine = open_door_database(Settings(data=data).database_url)
    keep_plan(engine, Plan("opencv-zoo", look))
    engine.dispose()
    new = configured(model_pack="opencv-zoo", zone=Zone(min_face_px=90), pin_allowed=False)
    estate.configure(new)
    estate.enroll(person("a", pin=QUICK.hash(PIN)))
    with CameraFeed() as feed, running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        for _ in range(MOST_DEATHS):
            _die(door)
        eventually(lambda: told(estate) == ("opencv-zoo", "settings-unhealthy"), within=60)
        assert "settings-unhealthy" in status(door).stdout
        assert door.state()["camera"] == ""
        assert door.pin(UNIT, PIN)["reason"] == "credential-not-accepted"
