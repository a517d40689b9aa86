"""One enrollment's and one entry's way through the tiers, as a collector of traces sees it."""

from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from face_engine.models import load_pack
from gatehouse.demo import enroll
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.support.collectors import collector

pytestmark = pytest.mark.long

ENROLLMENT = {
    ("gatehouse-cloud", "envelope deposited"),
    ("gatehouse-server", "envelope looked at"),
    ("gatehouse-server", "envelope taken"),
    ("gatehouse-cloud", "reply stored"),
}
ENTRY = {("gatehouse-door", "entry decided"), ("gatehouse-server", "entry kept")}


@pytest.fixture(scope="module")
def ada(models: Path) -> SamplePerson:
    people: Sequence[SamplePerson] = sample_people(load_pack(folder=models))
    return next(one for one in people if one.name == "Ada")


def test_an_enrollment_and_an_entry_are_one_trace_each_without_personal_data(
    ada: SamplePerson, tmp_path: Path
) -> None:
    with collector() as here:
        environment = {
            f"GATEHOUSE_{tier}_TRACES": here.address for tier in ("CLOUD", "SERVER", "DOOR")
        }
        with LocalEstate(tmp_path, environment=environment) as estate:
            estate.start_cloud()
            estate.start_server()
            estate.set_up("Sunny Court")
            door = estate.add_door("North gate", "")
            enroll(estate, ada, "resident")
            estate.await_door(door, 1)
            with estate.staff() as staff:
                (person,) = staff.call("GET", "people")
                pin = staff.call("POST", f"people/{person['person']}/pin")["pin"]
                estate.await_door(door, 1)
                type_pin(estate, door, person["unit"], pin)
                entry = wait_for("the entry", lambda: staff.call("GET", "entries")["entries"])[0]
        # Each tier sends what waits as it ends.
        ways: dict[str, set[tuple[str, str]]] = {}
        for span in here.spans():
            ways.setdefault(span.trace, set()).add((span.service, span.name))
        assert ENROLLMENT in ways.values()
        assert ENTRY in ways.values()
        (trace,) = [one for one, way in ways.items() if way == ENTRY]
        assert trace == entry["entry"]
        assert {span.instance for span in here.spans(trace)} == {"", door}
        told = b"".join(here.bodies)
        for secret in (ada.name, person["name"], person["unit"], person["person"], pin):
            assert str(secret).encode() not in told
        keys = {key for span in here.spans() for key in span.attributes}
        assert keys == {"gatehouse.community", "gatehouse.door"}


def type_pin(estate: LocalEstate, door: str, unit: str, pin: str) -> None:
    address = f"http://127.0.0.1:{estate.door_ports[door]}/pin"
    answer = httpx.post(address, json={"unit": unit, "pin": pin}, timeout=30, trust_env=False)
    answer.raise_for_status()
