"""How long a door takes from the last frame it needs to the decision, and what that frame costs.

Real processes: the controller's parts here, vision as its own process, a network camera on the
loopback interface that shows the people of the sample photo walking up. The reference is one
detection and one encoding of the same models in this process, timed in turn with the sightings:
the least that any program needs after the last frame.
"""

import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from benchmarks.figures import Figure
from door_terminal.camera.reader import Frame
from door_terminal.decisions.decider import Outcome
from door_terminal.identity import Pairing
from door_terminal.settings import Settings
from door_terminal.terminal import Terminal
from door_terminal.vision.messages import Sighting, Watch
from door_terminal.vision.watcher import Watcher
from face_engine.alignment import align
from face_engine.detector import search_side
from face_engine.enrollment import judge
from face_engine.models import FacePack, load_pack
from face_engine.rotation import random_rotation, turn
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import FRAME_RATE, walk_up
from tier_link.estate_messages import (
    ESTATE,
    DoorConfigured,
    EntryRecorded,
    MatchRequest,
    RosterPerson,
    RosterSnapshot,
    Zone,
)

SIGHTINGS: Final = 12
_PATIENCE_S: Final = 60.0
_STREAM_BYTES_PER_S: Final = 2_000_000 // 8
_LEAST_EYES: Final = 40
_FACING: Final = ("Ada", "Chen")


def run() -> list[Figure]:
    """Measure and return the door's figures."""
    pack = load_pack()
    people = [one for one in sample_people(pack) if one.name in _FACING]
    figures = _latencies(pack, people)
    return [*figures, _bytes_per_remote_entry(pack, people[0])]


def _latencies(pack: FacePack, people: list[SamplePerson]) -> list[Figure]:
    decided, released, bare, ratios, seen = [], [], [], [], []
    with CameraFeed() as feed, _terminal(feed.url, pack, people) as terminal:
        for number in range(SIGHTINGS):
            person = people[number % len(people)]
            before = terminal.outcomes
            random = np.random.default_rng(number)
            feed.show(walk_up(person.cutout, random, seconds=2.5))
            outcome = _next_outcome(terminal, before)
            models = _bare(pack, person)
            ours = (outcome.decided_ns - outcome.needed_ns) / 1e6
            decided.append(ours)
            released.append((outcome.released_ns - outcome.needed_ns) / 1e6)
            bare.append(models)
            ratios.append(ours / models)
            seen.append(outcome.granted)
    name = "bare detection and encoding of one frame"
    return [
        Figure(
            name="door: last needed frame to decision",
            median=statistics.median(decided),
            unit="ms",
            samples=SIGHTINGS,
            reference=name,
            reference_median=statistics.median(bare),
            ratio=statistics.median(ratios),
            note=(
                f"local match, {sum(seen)} of {SIGHTINGS} sightings of enrolled people let in;"
                " below 1 where the good frames were encoded while the person was coming up"
            ),
        ),
        Figure(
            name="door: last needed frame to released gate",
            median=statistics.median(released),
            unit="ms",
            samples=SIGHTINGS,
            reference=name,
            reference_median=statistics.median(bare),
            note="with the entry made durable in between (SQLite, synchronous=FULL)",
        ),
    ]


def _bare(pack: FacePack, person: SamplePerson) -> float:
    """Return milliseconds of one detection and one encoding, the median of several."""
    frame = list(walk_up(person.cutout, np.random.default_rng(0), seconds=0.5))[-1]
    side = search_side(frame, _LEAST_EYES)
    (face, *_) = pack.detector.detect(frame, longest_side=side)
    crop = align(frame, face.landmarks)[None]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        pack.detector.detect(frame, longest_side=side)
        pack.encoder.encode(crop)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def _bytes_per_remote_entry(pack: FacePack, person: SamplePerson) -> Figure:
    """Return what a door that matches at the server sends for one entry."""
    watcher = Watcher(pack)
    watcher.watch(Watch(_LEAST_EYES, 300, 35, 2, encode=False, crops=True))
    frames = walk_up(person.cutout, np.random.default_rng(0), seconds=2.5)
    start = time.monotonic_ns()
    found = [
        sighting
        for number, image in enumerate(frames)
        for sighting in watcher.look(Frame(image, start + int(number / FRAME_RATE * 1e9), number))
    ]
    (sighting,) = [one for one in found if isinstance(one, Sighting)]
    question = ESTATE.encode(MatchRequest(pack.template_space, sighting.crops))
    report = ESTATE.encode(
        EntryRecorded(
            "0" * 32,
            1,
            1_795_000_000_000,
            True,
            "in",
            "0" * 32,
            "resident",
            "face",
            True,
            "within-rules",
            "remote",
            100,
            2,
        )
    )
    return Figure(
        name="door: bytes a weak door sends per entry",
        median=float(len(question) + len(report)),
        unit="B",
        samples=1,
        reference="one second of the 2 Mbit/s stream it replaces",
        reference_median=float(_STREAM_BYTES_PER_S),
        ratio=(len(question) + len(report)) / _STREAM_BYTES_PER_S,
        note="two aligned faces as JPEG and the entry; the stream runs all day",
    )


@contextmanager
def _terminal(camera: str, pack: FacePack, people: list[SamplePerson]) -> Iterator[Terminal]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), camera=camera, mode="local")
        terminal = Terminal(settings, _nobody())
        _furnish(terminal, pack, people)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        running = asyncio.run_coroutine_threadsafe(terminal.vision.run(), loop)
        try:
            _wait(lambda: terminal.vision.state == "" and terminal.camera == "")
            yield terminal
        finally:
            running.cancel()
            _wait(lambda: terminal.vision.process is None)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
            terminal.close()


def _nobody() -> Pairing:
    """Return a pairing with a server that is not there: both links are down."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return Pairing("https://127.0.0.1:9", "0d" * 16, "bench", public, key.private_bytes_raw(), "")


def _furnish(terminal: Terminal, pack: FacePack, people: list[SamplePerson]) -> None:
    matrix = random_rotation(pack.encoder.dimension)
    configured = DoorConfigured(
        name="bench",
        mode="local",
        direction="in",
        template_space=pack.template_space,
        matrix=matrix.astype("<f4").tobytes(),
        threshold=0.42,
        zone=Zone(min_face_px=_LEAST_EYES, cooldown_s=0),
    )
    rows = tuple(
        RosterPerson(
            f"{number:032x}",
            "resident",
            "",
            template=turn(judge(pack, [one.portrait]).template, matrix).astype("<f4").tobytes(),
        )
        for number, one in enumerate(people)
    )
    terminal.clock.hear(int(time.time()))
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured)
        terminal.roster.take_snapshot(session, RosterSnapshot(1, 0, 1, rows), pack.template_space)


def _next_outcome(terminal: Terminal, before: int) -> Outcome:
    _wait(lambda: terminal.outcomes > before)
    if terminal.last is None:
        raise RuntimeError("an outcome was counted and not kept")
    return terminal.last


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the door did not get there")
        time.sleep(0.01)
