"""An estate of real processes with one door, whose resident has a face and a PIN."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from face_engine.models import default_folder, load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import enroll
from gatehouse.local_estate import LocalEstate
from gatehouse.sample_people import SamplePerson, sample_people
from tests.support.databases import databases


@dataclass(frozen=True)
class Household:
    """A running estate, its door, and who lives there."""

    estate: LocalEstate
    door: str
    feed: CameraFeed
    resident: SamplePerson
    neighbour: SamplePerson
    stranger: SamplePerson
    unit: str
    pin: str


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)])
def household(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Household]:
    """Everything running, Chen and Fang enrolled and known at the door, Bao a stranger."""
    people = {person.name: person for person in sample_people(load_pack(folder=default_folder()))}
    with ExitStack() as stack:
        cloud, server = stack.enter_context(databases(request.param, 2))
        estate = stack.enter_context(
            LocalEstate(tmp_path, cloud_database=cloud, server_database=server)
        )
        feed = stack.enter_context(CameraFeed())
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Fault Court")
        door = estate.add_door("Gate", feed.url, gate="simulated", mode="local")
        enroll(estate, people["Chen"], "resident")
        enroll(estate, people["Fang"], "resident")
        with estate.staff() as staff:
            chen = next(row for row in staff.call("GET", "people") if row["name"] == "Chen")
            issued = staff.call("POST", f"people/{chen['person']}/pin")
        estate.await_door(door, people=2)
        yield Household(
            estate,
            door,
            feed,
            resident=people["Chen"],
            neighbour=people["Fang"],
            stranger=people["Bao"],
            unit=issued["unit"],
            pin=issued["pin"],
        )
