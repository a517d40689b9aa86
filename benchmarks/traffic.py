"""A door in traffic: people walk up to real processes, one after another, and everything is noted.

Residents and strangers come in turn. Times are the door's own, of its last decision, which its page
tells; between two people the bare models run once here on the same machine, so that a busy minute
shows in both.
"""

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import psutil

from face_engine.alignment import align
from face_engine.detector import search_side
from face_engine.models import FacePack, load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import enroll
from gatehouse.local_estate import LocalEstate
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up

SECONDS: Final = 2.0
"""How long somebody stands before the door, at most."""
FACE_WIDTHS: Final = (140.0, 190.0)
"""Pixels: from the first picture on near enough to count, as one who steps round a corner."""
GAP_S: Final = 1.5
"""With nobody in view; whoever comes next is somebody else to the door."""
_DECIDED_WITHIN_S: Final = 4.0
_LEAST_EYES: Final = 40
_POLL_S: Final = 0.01


@dataclass(frozen=True)
class Crossing:
    """What came of one person at the door; times in milliseconds.

    Attributes:
        person: who it was.
        entry: the door's id of the decision; empty where there was none.
        granted: whether the gate was asked to open.
        reason: the decision's code.
        decided_ms: from the last needed frame to the decision.
        released_ms: from the last needed frame to the released gate; 0 where it was not asked.
        waited_ms: from the first picture that shows the person to the released gate; as above.
        models_ms: one bare detection and encoding, just afterwards.
    """

    person: str
    entry: str
    granted: bool
    reason: str
    decided_ms: float
    released_ms: float
    waited_ms: float
    models_ms: float


RESIDENTS: Final = ("Ada", "Chen", "Dora", "Fang")
"""Of the sample photo's six people; the other two are strangers."""


@contextmanager
def open_door(mode: str) -> Iterator["Traffic"]:
    """Start an estate with one door that matches in `mode`, and enroll the residents."""
    pack = load_pack()
    people = sample_people(pack)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalEstate(Path(folder)) as estate,
        CameraFeed() as feed,
    ):
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Bench Court")
        door = estate.add_door("Gate", feed.url, gate="simulated", mode=mode)
        for one in people:
            if one.name in RESIDENTS:
                enroll(estate, one, "resident")
        estate.await_door(door, people=len(RESIDENTS))
        yield Traffic(estate, door, feed, pack, people)


@dataclass(frozen=True)
class Traffic:
    """One door of a running estate, its camera, and who walks up.

    Attributes:
        estate: running, with the residents enrolled and known at the door.
        door: its id.
        feed: its camera.
        pack: the models that run beside, for comparison.
        people: who comes, in turn.
    """

    estate: LocalEstate
    door: str
    feed: CameraFeed
    pack: FacePack
    people: Sequence[SamplePerson]

    def crossings(self) -> Iterator[Crossing]:
        """Let people walk up, one after another, and tell what came of each; for ever."""
        with httpx.Client(trust_env=False, timeout=10) as http:
            for number in itertools.count():
                yield self._cross(http, self.people[number % len(self.people)], number)

    def memory(self) -> dict[str, int]:
        """Return the resident bytes of each process, by name."""
        tiers = {
            "cloud": self.estate.cloud,
            "server": self.estate.server,
            "controller": self.estate.doors[self.door],
        }
        found = {
            name: psutil.Process(tier.process.pid)
            for name, tier in tiers.items()
            if tier.process is not None
        }
        (found["vision"],) = found["controller"].children()
        return {name: process.memory_info().rss for name, process in found.items()}

    def _cross(self, http: httpx.Client, person: SamplePerson, number: int) -> Crossing:
        before = self._state(http)["decisions"]
        random = np.random.default_rng(number)
        film = walk_up(person.cutout, random, seconds=SECONDS, face_widths=FACE_WIDTHS)
        shown = self.feed.show(film)
        last, decided = self._decision(http, before)
        models = self._models_ms(person)
        time.sleep(GAP_S)
        if last is None:
            return Crossing(person.name, "", False, "", 0.0, 0.0, 0.0, models)
        released = last["released_ms"] or 0.0
        waited = 1000 * (decided - shown) + released - last["decided_ms"]
        return Crossing(
            person=person.name,
            entry=last["entry"],
            granted=last["granted"],
            reason=last["reason"],
            decided_ms=last["decided_ms"],
            released_ms=released,
            waited_ms=waited if released else 0.0,
            models_ms=models,
        )

    def _state(self, http: httpx.Client) -> Any:
        port = self.estate.door_ports[self.door]
        return http.get(f"http://127.0.0.1:{port}/state").raise_for_status().json()

    def _decision(self, http: httpx.Client, before: int) -> tuple[Any, float]:
        """Return the door's last decision and when it was made, monotonic; None: it made none."""
        deadline = time.monotonic() + _DECIDED_WITHIN_S
        while time.monotonic() < deadline:
            asked = time.monotonic()
            state = self._state(http)
            last = state["last"]
            settled = state["decisions"] > before and (
                not last["granted"] or last["released_ms"] is not None or last["gate"]
            )
            if settled:
                return last, (asked + time.monotonic()) / 2 - last["age_s"]
            time.sleep(_POLL_S)
        return None, 0.0

    def _models_ms(self, person: SamplePerson) -> float:
        random = np.random.default_rng(0)
        *_, frame = walk_up(person.cutout, random, seconds=0.5, face_widths=FACE_WIDTHS)
        side = search_side(frame, _LEAST_EYES)
        (face, *_) = self.pack.detector.detect(frame, longest_side=side)
        crop = align(frame, face.landmarks)[None]
        times = []
        for _ in range(3):
            start = time.perf_counter()
            self.pack.detector.detect(frame, longest_side=side)
            self.pack.encoder.encode(crop)
            times.append(1000 * (time.perf_counter() - start))
        return statistics.median(times)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share (0..1) of the values does not exceed; the nearest one."""
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]
