"""Whatever the tiers and their libraries can log: no name, phone, PIN, link or token is in it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from face_engine.models import default_folder, load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import submit_when_known
from gatehouse.enrollment_client import EnrollmentClient
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from gatehouse.staff_client import StaffClient
from tier_link.invitations import parse_link

pytestmark = pytest.mark.long

NAME, PHONE, UNIT = "Kanarienvogel-九宫鸟", "13900139000", "7-1707"
EVERYTHING = Path(__file__).parent / "everything_logged"


def test_a_whole_enrollment_and_opening_leave_no_secret_in_any_log(tmp_path: Path) -> None:
    ada = sample_people(load_pack(folder=default_folder()))[0]
    person = SamplePerson(NAME, ada.portrait, ada.cutout)
    with (
        CameraFeed() as feed,
        LocalEstate(tmp_path, environment={"PYTHONPATH": str(EVERYTHING)}) as estate,
    ):
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Sunny Court")
        door = estate.add_door("Main gate", feed.url)
        estate.await_door(door)
        with estate.staff() as staff, estate.public() as http:
            secrets = _enroll(estate, staff, http, person)
            estate.await_door(door, people=1)
            secrets |= _open(estate, staff, feed, door, person, secrets["pin"])
            secrets |= {"password": estate.password, "recovery kit": estate.recovery_secret}
            secrets |= {"csrf": staff.csrf, **dict(staff.http.cookies)}
        logs = {path.name: path.read_bytes() for path in tmp_path.glob("*.log")}
    assert set(logs) == {"cloud.log", "server.log", f"door-{door}.log"}
    for name, log in logs.items():
        assert b"logged=everything" in log, name
        for what, secret in secrets.items():
            assert secret.encode() not in log, f"{name} holds the {what}"


def _enroll(
    estate: LocalEstate, staff: StaffClient, http: httpx.Client, person: SamplePerson
) -> dict[str, str]:
    asked = {"kind": "resident", "name": person.name, "unit": UNIT}
    made = staff.call("POST", "invitations", asked)
    submission = submit_when_known(EnrollmentClient(http), made["link"], person)
    replies = EnrollmentClient(http).replies(submission, seconds=60)
    assert next(replies).outcome == "received"
    (waiting,) = staff.call("GET", "approvals")
    staff.call("POST", f"approvals/{waiting['id']}", {"decision": "approve"})
    assert next(replies).outcome == "enrolled"
    staff.call("PATCH", f"people/{made['person']}", {"phone": PHONE})
    pin = staff.call("POST", f"people/{made['person']}/pin")["pin"]
    shown = staff.call("POST", f"people/{made['person']}/pass", {})
    wanted = {"name": "R", "scopes": ["see-people"], "expires_at": int(time.time()) + 3600}
    staff.call("POST", "session/proof", {"password": estate.password})
    token = staff.call("POST", "tokens", wanted)
    with httpx.Client(verify=False, trust_env=False) as program:  # noqa: S501 - of this test's own server
        bearer = {"authorization": f"Bearer {token['secret']}"}
        found = program.get(f"{estate.server_address}/api/v1/people?who={NAME}", headers=bearer)
        assert found.is_success, found.text
    secret = parse_link(made["link"]).invitation.secret
    return {
        "name": NAME,
        "phone": PHONE,
        "pin": pin,
        "link": made["link"].partition("#")[2],
        "link's secret": secret.hex(),
        "link to the pass": shown["link"].partition("#")[2],
        "token": token["secret"],
    }


def _open(
    estate: LocalEstate,
    staff: StaffClient,
    feed: CameraFeed,
    door: str,
    person: SamplePerson,
    pin: str,
) -> Mapping[str, str]:
    address = f"http://127.0.0.1:{estate.door_ports[door]}/pin"

    def by_pin() -> bool:
        told = httpx.post(address, json={"unit": UNIT, "pin": pin}, trust_env=False, timeout=30)
        return bool(told.json()["granted"])

    wait_for("the PIN to open", by_pin, 30)
    feed.show(walk_up(person.cutout, np.random.default_rng(0), seconds=2.5))

    def by_face() -> bool:
        rows: list[dict[str, Any]] = staff.call("GET", "entries?limit=20")["entries"]
        return any(row["granted"] and row["credential"] == "face" for row in rows)

    wait_for("the face to open", by_face, 30)
    until = int(time.time()) + 3600
    guest = {"kind": "visitor", "name": "", "unit": UNIT, "valid_until": until}
    visitor = staff.call("POST", "invitations", guest)["person"]
    fixed = staff.call("POST", f"people/{visitor}/pass", {})
    return {"visitor's pass": fixed["text"], "visitor's link": fixed["link"].partition("#")[2]}
