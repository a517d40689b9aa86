"""Heads and pictures before a real door: its processes and camera, and the published networks.

Films are rendered (`face_engine.evaluation.liveness.scenes`). The weights stay outside the
project; without them these tests are skipped.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_engine.evaluation.liveness.scenes import FRAMES, Kind, Portrait, film
from face_engine.faces import Image
from face_engine.landmarks import refine
from face_engine.liveness.challenge import Turn
from face_engine.models import FacePack, default_folder
from face_engine.models.fetching import fetch
from face_engine.models.registry import OPENCV_ZOO, SILENT_FACE
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import Door, enrolled, furnish, running_door
from tests.support.shared_data import shared_folder
from tier_link.estate_messages import RosterPerson, Zone

pytestmark = pytest.mark.long

Seen = tuple[bool, str, str]
"""Of an entry: granted, reason, liveness."""

ZONE = Zone(min_face_px=30, cooldown_s=0)
TURN = 27.0
PICTURES = [kind for kind in Kind if not kind.live]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, pack: FacePack) -> Path:
    """A models folder with the networks in it."""
    del pack  # it is here
    weights = shared_folder("silent-face")
    folder = tmp_path_factory.mktemp("models")
    fetch(OPENCV_ZOO, folder, local=default_folder() / "opencv-zoo")
    fetch(SILENT_FACE, folder, local=weights)
    return folder


@dataclass(frozen=True)
class Resident:
    """Somebody who is enrolled, and the portrait that films of them are rendered from."""

    portrait: Portrait
    row: RosterPerson

    @classmethod
    def of(cls, pack: FacePack, sample: SamplePerson) -> "Resident":
        data = np.frombuffer(sample.portrait, np.uint8)
        photo = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        (face,) = pack.detector.detect(photo, longest_side=320)
        landmarks = refine(pack.detector, photo, face).landmarks
        row = enrolled(pack, sample, sample.name[0].lower())
        return cls(Portrait.of(sample.name, photo, landmarks), row)


@pytest.fixture(scope="session")
def ada(pack: FacePack, people: dict[str, SamplePerson]) -> Resident:
    """Somebody of whom the networks are not sure."""
    return Resident.of(pack, people["Ada"])


@pytest.fixture(scope="session")
def chen(pack: FacePack, people: dict[str, SamplePerson]) -> Resident:
    """Somebody whom the networks take for a face."""
    return Resident.of(pack, people["Chen"])


class Gate:
    """A door that looks for pictures, its camera, and its estate."""

    def __init__(self, estate: Estate, door: Door, feed: CameraFeed) -> None:
        self._estate, self._door, self._feed = estate, door, feed
        self._portrait: Portrait | None = None
        self.asked = ""

    def follow(self, policy: str, resident: Resident) -> None:
        """Change what the door makes of what it sees, and whom films are of from now on."""
        self._portrait = resident.portrait
        furnish(self._estate, resident.row, zone=ZONE, liveness=policy, name=policy)
        eventually(lambda: self._door.state()["door"] == policy)
        eventually(self._door.sees, within=60)

    def shows(self, kind: Kind) -> list[Seen]:
        """Hold this before the camera until it made an entry, for some four seconds at most."""
        with self._alone() as made:
            self._play(self._frames(kind, rounds=3), made)
        return made()

    def is_asked(self, kind: Kind) -> list[Seen]:
        """Hold this before the camera, and turn it there and back when the screen asks."""
        # Rendered before: nobody is away from the camera while the answer is being drawn.
        waits = list(self._frames(kind, rounds=6))
        answers = {
            str(turn): [*self._frames(kind, rounds=1, turn=turn.sign * TURN), *waits[:FRAMES]]
            for turn in Turn
        }
        with self._alone() as made:
            self._play(iter(waits), lambda: self._turn or made())
            self.asked = self._turn
            if self.asked:
                self._play(iter(answers[self.asked] * 3), made)
        return made()

    @property
    def _turn(self) -> str:
        turn: str = self._door.state()["turn"]
        return turn

    @contextmanager
    def _alone(self) -> Iterator[Callable[[], list[Seen]]]:
        """Wait until nobody is there, and then for what becomes of whoever comes."""
        eventually(lambda: not self._door.state()["watching"])
        before = len(self._estate.entries)

        def made() -> list[Seen]:
            new = self._estate.entries[before:]
            return [(one.granted, one.reason, one.liveness) for one in new]

        yield made
        eventually(made)

    def _play(self, frames: Iterator[Image], until: Callable[[], object]) -> None:
        while not until() and (some := list(itertools.islice(frames, 4))):
            self._feed.show(some)

    def _frames(self, kind: Kind, *, rounds: int, turn: float | None = None) -> Iterator[Image]:
        """Yield a film forth and back, so that it has no cut."""
        assert self._portrait is not None
        there = list(film(self._portrait, kind, turn=turn))
        for number in range(rounds):
            yield from reversed(there) if number % 2 else there


@pytest.fixture
def gate(estate: Estate, data: Path, feed: CameraFeed, models: Path) -> Iterator[Gate]:
    with running_door(data, "--camera", feed.url, models=models) as door:
        yield Gate(estate, door, feed)


def test_a_head_is_let_in_and_a_tilted_print_of_it_is_refused_as_a_picture(
    gate: Gate, chen: Resident
) -> None:
    gate.follow("second", chen)
    assert gate.shows(Kind.LIVE_GLANCE) == [(True, "within-rules", "live")]
    assert gate.shows(Kind.PRINT_TILTING) == [(False, "spoof-suspected", "spoof")]


def test_a_head_that_stands_is_asked_to_turn_and_let_in_when_it_does(
    gate: Gate, ada: Resident
) -> None:
    gate.follow("challenge", ada)
    entries = gate.is_asked(Kind.LIVE_STILL)
    assert gate.asked in {"left", "right"}
    assert entries == [(True, "within-rules", "live")]


@pytest.mark.soak
def test_no_picture_opens_a_door_that_refuses_them_and_no_still_one_that_asks_for_a_turn(
    gate: Gate, chen: Resident
) -> None:
    gate.follow("second", chen)
    for kind in PICTURES:
        refused(kind, gate.shows(kind), "second-credential-needed")
    gate.follow("challenge", chen)
    for kind in PICTURES:
        # A film of a head that moves may do as asked by chance, and has opened this door:
        # docs/face-engine.md, what liveness does not stop.
        if kind is not Kind.VIDEO:
            refused(kind, gate.is_asked(kind), "liveness-unproven")


def refused(kind: Kind, entries: list[Seen], unsure: str) -> None:
    print(kind, entries)
    for granted, reason, liveness in entries:
        assert not granted, kind
        # Turned far, or tilted, it may once not be recognised, too.
        assert reason in {unsure, "spoof-suspected", "not-recognized", "face-unclear"}, kind
        assert liveness != "live", kind
