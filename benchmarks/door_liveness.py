"""What it costs a door to tell faces from pictures, against the same sighting without.

Films of people of InsightFace's sample photo who walk up, through vision's own watcher on one
thread, in CPU time. Without the pack `silent-face`, parallax alone is measured, and the note says
so.
"""

import itertools
import logging
import time
from functools import cache
from typing import Final

import cv2
import numpy as np

from benchmarks.figures import Figure, paired
from door_terminal.camera.reader import Frame
from door_terminal.vision.liveness import MODELS_MISSING, LivenessWatch
from door_terminal.vision.messages import Answer, Sighting, Watch
from door_terminal.vision.watcher import Watcher
from face_engine.liveness.passive import load_passive
from face_engine.models import load_pack
from gatehouse.sample_people import sample_people
from gatehouse.scenes import FRAME_RATE, walk_up

SECONDS: Final = 3.0
ROUNDS: Final = 9
_PEOPLE: Final = 3


def run() -> list[Figure]:
    """Measure in turn and return the figure."""
    cv2.setNumThreads(1)
    pack = load_pack()
    films = [
        list(walk_up(person.cutout, np.random.default_rng(1), seconds=SECONDS))
        for person in sample_people(pack)[:_PEOPLE]
    ]
    turns = {looks: itertools.cycle(films) for looks in (True, False)}
    passive = cache(load_passive)  # loaded in the warm-up
    problems = set()
    # Each film has a watcher of its own that would say that the pack is missing: the note does.
    logging.getLogger(LivenessWatch.__module__).setLevel(logging.ERROR)

    def sighting(*, looks: bool) -> None:
        watcher = Watcher(pack, passive)
        watcher.watch(Watch(40, 300, 35, 2, encode=True, crops=False, attempts=3, liveness=looks))
        for number, image in enumerate(next(turns[looks])):
            frame = Frame(image, int((1 + number / FRAME_RATE) * 1e9), number)
            for found in watcher.look(frame):
                if isinstance(found, Sighting):
                    watcher.answered(Answer(found.sighting, settled=found.final))
        problems.add(watcher.liveness.problem)

    figure = paired(
        "a sighting with liveness",
        lambda: sighting(looks=True),
        lambda: sighting(looks=False),
        reference_name="without",
        rounds=ROUNDS,
        clock=time.process_time,
    )
    missing = MODELS_MISSING in problems
    return [
        figure.noted(
            f"CPU time of a film of {SECONDS:.0f} s, one thread; "
            + ("without the pack silent-face" if missing else "with the pack silent-face")
        )
    ]
