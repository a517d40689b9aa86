"""What a remote match costs the server: asked for by one weak door, and by sixteen at once.

A running server; doors that speak the real link over TLS, each waiting for its answer before it
asks again. The server's CPU time is the kernel's account of its process; the bare encoder runs here
on the same crops, in turn, as cheaply per face as it can.
"""

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import psutil

from benchmarks.figures import Figure
from face_engine.alignment import align
from face_engine.faces import Image
from face_engine.models import FacePack, load_pack
from gatehouse.demo import enroll
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import sample_people
from gatehouse.scenes import walk_up
from tests.community_server.doubles import DoorDouble
from tier_link.estate_messages import MatchRequest

DOORS: Final = 16
MATCHES: Final = 64
"""In one round, by all doors together."""
ROUNDS: Final = 5


def run() -> list[Figure]:
    """Start cloud and server, enroll one person, let doors ask."""
    pack = load_pack()
    (person,) = (one for one in sample_people(pack) if one.name == "Chen")
    frames = list(walk_up(person.cutout, np.random.default_rng(1)))[-6:-4]
    crops = np.stack([align(one, pack.detector.detect(one)[0].landmarks) for one in frames])
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalEstate(Path(folder)) as estate,
        ExitStack() as stack,
    ):
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Bench Court")
        enroll(estate, person, "resident")
        doors = [
            stack.enter_context(_door(estate, Path(folder), number)) for number in range(DOORS)
        ]
        return [
            _cost(estate, pack, crops, doors[:1], "one weak door"),
            _cost(estate, pack, crops, doors, f"{DOORS} weak doors at once"),
        ]


def _door(estate: LocalEstate, folder: Path, number: int) -> DoorDouble:
    with estate.staff() as staff:
        door = staff.call("POST", "doors", {"name": f"Weak door {number}", "direction": "in"})
        code = staff.call("POST", f"doors/{door['door']}/pairing")["code"]
    weak = DoorDouble(folder / f"weak{number}", estate.server_address)
    weak.pair(code)
    weak.connect()
    wait_for("a weak door's configuration", lambda: weak.configuration)
    return weak


def _cost(
    estate: LocalEstate, pack: FacePack, crops: Image, doors: list[DoorDouble], who: str
) -> Figure:
    jpegs = tuple(
        cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for crop in crops
    )
    question = MatchRequest(pack.template_space, jpegs)
    process = estate.server.process
    if process is None:
        raise RuntimeError("the server is not running")
    server = psutil.Process(process.pid)

    def ask(door: DoorDouble) -> None:
        for _ in range(MATCHES // len(doors)):
            door.ask(question)

    ours, bare = [], []
    with ThreadPoolExecutor(len(doors)) as threads:
        for number in range(1 + ROUNDS):
            before = _cpu_seconds(server)
            list(threads.map(ask, doors))
            spent = _cpu_seconds(server) - before
            start = time.process_time()
            pack.encoder.encode(np.tile(crops, (MATCHES, 1, 1, 1)))
            encoder = time.process_time() - start
            if number:  # the first round warms up
                ours.append(1000 * spent / MATCHES)
                bare.append(1000 * encoder / MATCHES)
    return Figure(
        f"server: CPU time per match (two crops), {who}",
        statistics.median(ours),
        "ms",
        ROUNDS * MATCHES,
        reference="the bare encoder on the same crops in batches",
        reference_median=statistics.median(bare),
        ratio=statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
        note="the rest is ours: TLS, the link, JPEG decoding, the search, threads",
    )


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
