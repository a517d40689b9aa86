"""How long somebody waits at a door, and what a door too weak to match sends instead.

Real processes of all tiers, a network camera on the loopback interface that shows the people of the
sample photo stepping before the door. The reference is one detection and one encoding of the same
models in this process, timed in turn with the people: the least that any program needs after the
last frame.
"""

import itertools
import statistics
import time
from typing import Final

import numpy as np

from benchmarks.figures import Figure
from benchmarks.traffic import open_door, percentile
from door_terminal.camera.reader import Frame
from door_terminal.vision.messages import Sighting, Watch
from door_terminal.vision.watcher import Watcher
from face_engine.models import FacePack, load_pack
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import FRAME_RATE, walk_up
from tier_link.estate_messages import ESTATE, EntryRecorded, MatchRequest

PEOPLE: Final = 24
"""Who come to a door of each kind."""
_STREAM_BYTES_PER_S: Final = 2_000_000 // 8
_LEAST_EYES: Final = 40


def run() -> list[Figure]:
    """Measure and return the door's figures."""
    pack = load_pack()
    return [
        *_waits("local"),
        *_waits("remote"),
        _bytes_per_remote_entry(pack, sample_people(pack)[0]),
    ]


def _waits(mode: str) -> list[Figure]:
    with open_door(mode) as traffic:
        seen = list(itertools.islice(traffic.crossings(), PEOPLE))
    let_in = [one for one in seen if one.granted]
    models = [one.models_ms for one in let_in]
    spans = {
        "last needed frame to decision": [one.decided_ms for one in let_in],
        "last needed frame to released gate": [one.released_ms for one in let_in],
        "first picture of a face to released gate": [one.waited_ms for one in let_in],
    }
    return [
        Figure(
            name=f"door, {mode} match: {span}",
            median=statistics.median(times),
            unit="ms",
            samples=len(times),
            reference="bare detection and encoding of one frame",
            reference_median=statistics.median(models),
            ratio=statistics.median(a / b for a, b in zip(times, models, strict=True)),
            note=f"95th percentile {percentile(times, 0.95):.1f} ms, longest {max(times):.1f}",
        )
        for span, times in spans.items()
    ]


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
