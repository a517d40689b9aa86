"""An estate changes its model, and a resident's face is renewed at the door: all real processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from community_server.doors.service import add_door, get_door
from community_server.estate import open_estate
from community_server.people.queries import get_person
from community_server.people.service import issue_pin, store_template
from community_server.settings import Settings
from face_engine.enrollment import judge
from face_engine.models import load_pack
from face_engine.rotation import turn
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.community_server.bench import Bench, prepare
from tests.community_server.server_process import Desk, run_server
from tests.door_terminal.estate import eventually
from tests.door_terminal.processes import Door, gatehouse, running_door

pytestmark = pytest.mark.long

FORMER, PRESENT = "opencv-zoo", "opencv-zoo-int8"


@pytest.fixture(scope="module")
def people(models: Path) -> Sequence[SamplePerson]:
    return sample_people(load_pack(FORMER, models))


@dataclass
class Before:
    """The estate as it was with the former model: Ada with face and PIN, one strict door."""

    data: Path
    door: str
    ada: str
    unit: str
    pin: str = field(repr=False)


@pytest.fixture
def before(models: Path, tmp_path: Path, people: Sequence[SamplePerson]) -> Before:
    data = tmp_path / "server" / "data"
    estate = open_estate(Settings(data=data, models=models, model_pack=FORMER))
    prepare(estate)
    _, ada = Bench(estate).invite(unit="7-701")
    with estate.changer.change() as change:
        pin, unit = issue_pin(change, ada)
        row = get_person(change.session, ada, lock=True)
        face = turn(judge(estate.pack, [people[0].portrait]).template, estate.secrets.matrix)
        store_template(change, row, estate.pack.template_space, face, photos=1)
        door = add_door(change.session, "Gate", "both")
        strict = get_door(change.session, door, lock=True)
        strict.face_needs_second, strict.cooldown_s = True, 0.0
    estate.close()
    return Before(data, door, ada, unit, pin)


@pytest.fixture
def desk(before: Before, models: Path) -> Iterator[Desk]:
    """The same estate's server, with the new model and the former beside it."""
    packs = {"GATEHOUSE_SERVER_MODEL_PACK": PRESENT, "GATEHOUSE_SERVER_FORMER_PACK": FORMER}
    with run_server(before.data, database="", models=models, env=packs) as server:
        desk = Desk(server)
        desk.sign_in()
        yield desk
        desk.close()


@pytest.mark.soak  # both ends are tried apart in the quick suite
def test_a_resident_is_asked_after_face_and_pin_and_then_known_at_the_door_itself(
    before: Before, desk: Desk, tmp_path: Path, people: Sequence[SamplePerson]
) -> None:
    data = tmp_path / "door" / "data"
    code = desk.call("POST", f"/api/v1/doors/{before.door}/pairing")["code"]
    server = desk.http.base_url
    paired = gatehouse(
        *("door", "pair", "--server", str(server), "--code", code, "--data", str(data)),
        cwd=tmp_path,
    )
    assert paired.returncode == 0, paired.stderr
    with CameraFeed() as feed, running_door(data, "--camera", feed.url, mode="local") as door:
        # It began with the pack that it comes with, and took up the estate's by itself.
        eventually(lambda: door.sees() and door.state()["model_pack"] == PRESENT, within=90)
        eventually(lambda: door.state()["people"] == 1)

        feed.show(walk_up(people[0].cutout, np.random.default_rng(1), seconds=3))
        eventually(lambda: _last(door) == "second-credential-needed", within=30)
        assert door.state()["renewal"] is None
        assert door.pin(before.unit, before.pin)["granted"]
        offer = door.state()["renewal"]
        assert "renew your face" in offer["texts"]["en"]["title"]

        answer = httpx.post(
            door.url + "/renewal",
            json={"offer": offer["offer"], "agreed": True, "language": "en"},
            timeout=30,
            trust_env=False,
        ).json()
        assert answer["reason"] == "renewed"

        (person,) = desk.call("GET", "/api/v1/people")
        assert (person["has_face"], person["face_outdated"]) == (True, False)
        eventually(lambda: desk.call("GET", "/api/v1/doors")[0]["in_step"], within=30)
        assert _facts(desk) == (PRESENT, PRESENT, "")

        decisions = door.state()["decisions"]
        feed.show(walk_up(people[0].cutout, np.random.default_rng(2), seconds=3))
        eventually(lambda: door.state()["decisions"] > decisions, within=30)
        assert _last(door) == "second-credential-needed"
        eventually(lambda: len(_entries(desk)) == 3)
        assert door.stop() == 0
    seen, _, again = _entries(desk)
    assert [one["person"] for one in (seen, again)] == [before.ada, before.ada]
    assert [one["matched"] for one in (seen, again)] == ["remote", "local"]


def _last(door: Door) -> str:
    last = door.state()["last"]
    return str(last["reason"]) if last else ""


def _facts(desk: Desk) -> tuple[str, str, str]:
    (row,) = desk.call("GET", "/api/v1/doors")
    return row["model_pack"], row["model_pack_wanted"], row["vision"]


def _entries(desk: Desk) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = desk.call("GET", "/api/v1/entries")["entries"]
    return entries
