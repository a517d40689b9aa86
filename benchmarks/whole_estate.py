"""What an estate waits for and what a server pays: from approval to door, and per remote match.

Real processes of all tiers on this machine. A remote match is asked for by a client that speaks
the real link over TLS, as a weak door would; the server's CPU time is the kernel's account of
its process, the bare encoder's is measured here on the same crops, in turn.
"""

import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import httpx
import numpy as np

from benchmarks.figures import Figure
from face_engine.alignment import align
from face_engine.models import FacePack, load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import enroll
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.community_server.doubles import DoorDouble
from tier_link.estate_messages import MatchRequest

APPROVALS: Final = 8
MATCHES_PER_ROUND: Final = 40
ROUNDS: Final = 7
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
        wait_for("the door", estate.door_in_step(door))
        for name in _LIVES_HERE:
            enroll(estate, people[name], "resident")
        return [
            _approved_to_known(estate, door),
            _cpu_per_match(estate, pack, people["Chen"], Path(folder)),
        ]


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


def _cpu_per_match(
    estate: LocalEstate, pack: FacePack, person: SamplePerson, folder: Path
) -> Figure:
    frames = list(walk_up(person.cutout, np.random.default_rng(1)))[-6:-2]
    crops = np.stack([align(one, pack.detector.detect(one)[0].landmarks) for one in frames[:2]])
    packed = tuple(
        cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for crop in crops
    )
    with estate.staff() as staff:
        door = staff.call("POST", "doors", {"name": "Weak door", "direction": "in"})["door"]
        code = staff.call("POST", f"doors/{door}/pairing")["code"]
    ours: list[float] = []
    bare: list[float] = []
    with DoorDouble(folder / "weak", estate.server_address) as weak:
        weak.pair(code)
        weak.connect()
        configuration = wait_for("the weak door's configuration", lambda: weak.configuration)
        question = MatchRequest(configuration.template_space, packed)
        for number in range(1 + ROUNDS):
            before = _cpu_seconds(estate)
            for _ in range(MATCHES_PER_ROUND):
                weak.ask(question)
            spent = _cpu_seconds(estate) - before
            start = time.process_time()
            for _ in range(MATCHES_PER_ROUND):
                pack.encoder.encode(crops)
            encoder = time.process_time() - start
            if number:  # the first round warms up
                ours.append(spent / MATCHES_PER_ROUND)
                bare.append(encoder / MATCHES_PER_ROUND)
    return Figure(
        "the server's CPU time per remote match (two crops)",
        1000 * statistics.median(ours),
        "ms",
        ROUNDS * MATCHES_PER_ROUND,
        reference="the bare encoder on the same two crops",
        reference_median=1000 * statistics.median(bare),
        ratio=statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
        note="the rest is TLS, the link, JPEG decoding, the search and threads; ours",
    )


def _cpu_seconds(estate: LocalEstate) -> float:
    """User and system time of the server's process so far (proc(5), fields 14 and 15)."""
    process = estate.server.process
    if process is None:
        raise RuntimeError("the server is not running")
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
