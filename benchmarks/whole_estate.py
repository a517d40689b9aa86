"""What an estate waits for: from the desk's decision until the door knows.

Real processes of all tiers on this machine.
"""

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from benchmarks.figures import Figure
from face_engine.models import load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import enroll
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import sample_people

APPROVALS: Final = 8
_LIVES_HERE: Final = ("Ada", "Chen", "Dora", "Fang")


def run() -> list[Figure]:
    """Start an estate and measure it."""
    pack = load_pack()
    people = {one.name: one for one in sample_people(pack)}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalEstate(Path(folder)) as estate,
        CameraFeed() as feed,
    ):
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Bench Court")
        door = estate.add_door("Gate", feed.url, gate="simulated")
        estate.await_door(door)
        for name in _LIVES_HERE:
            enroll(estate, people[name], "resident")
        return [_approved_to_known(estate, door)]


def _approved_to_known(estate: LocalEstate, door: str) -> Figure:
    """Suspend and readmit a resident: the same roster change as an approval makes."""
    address = f"http://127.0.0.1:{estate.door_ports[door]}/state"
    seconds: list[float] = []
    with estate.staff() as staff, httpx.Client(trust_env=False) as http:

        def version() -> int:
            return int(http.get(address).json()["roster_version"])

        def known_at_door(known: int) -> bool:
            return version() >= known

        person = staff.call("GET", "people")[0]["person"]
        for number in range(APPROVALS):
            known = version() + 1
            start = time.monotonic()
            staff.call("PATCH", f"people/{person}", {"suspended": number % 2 == 0})
            wait_for("the door to know", partial(known_at_door, known))
            seconds.append(time.monotonic() - start)
    return Figure(
        "from the desk's decision to known at the door",
        statistics.median(seconds),
        "s",
        len(seconds),
        note="all ours: HTTPS call, transaction, link, the door's transaction; polled every 50 ms",
    )
