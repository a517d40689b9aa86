"""A confidential door with its real server: known again as soon as both are up, until revoked."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from face_engine.models import load_pack
from gatehouse.demo import enroll
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import sample_people

pytestmark = pytest.mark.long


@pytest.mark.soak  # both ends are tried apart in the quick suite
def test_it_fetches_its_key_after_a_restart_and_gets_none_once_revoked(tmp_path: Path) -> None:
    (chen,) = (one for one in sample_people(load_pack()) if one.name == "Chen")
    with LocalEstate(tmp_path) as estate:
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Quiet Court")
        door = estate.add_door("Gate", "", keys="confidential", gate="simulated")
        enroll(estate, chen, "resident")
        with estate.staff() as staff:
            (person,) = staff.call("GET", "people")
            issued = staff.call("POST", f"people/{person['person']}/pin")
        estate.await_door(door, people=1)
        page = f"http://127.0.0.1:{estate.door_ports[door]}"
        typed = {"unit": issued["unit"], "pin": issued["pin"]}

        def enter() -> Any:
            return httpx.post(f"{page}/pin", json=typed, timeout=10, trust_env=False).json()

        def serves() -> bool:
            try:
                return httpx.get(f"{page}/state", trust_env=False).is_success
            except httpx.TransportError:
                return False

        def restart() -> None:
            estate.doors[door].kill()
            estate.doors[door].start()
            wait_for("the door's page", serves)

        assert enter()["granted"]
        estate.server.kill()
        restart()
        assert enter()["reason"] == "key-awaited"
        estate.start_server()
        wait_for("the door to know the resident again", lambda: enter()["granted"])

        with estate.staff() as staff:
            staff.call("DELETE", f"doors/{door}")
        restart()
        assert enter()["reason"] == "key-awaited"
