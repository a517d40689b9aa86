"""What the live picture costs vision while somebody stands at the door, against looking alone.

Films of people of InsightFace's sample photo who walk up, through vision's own watcher on one
thread, in CPU time; each picture that is due is made and written as it goes to the controller.
"""

import itertools
import time
from typing import Final

import cv2
import numpy as np

from benchmarks.figures import WARM_UP_ROUNDS, Figure, paired
from door_terminal.camera.reader import Frame
from door_terminal.vision.messages import Answer, Preview, Show, Sighting, Watch, frame
from door_terminal.vision.preview import Previewer
from door_terminal.vision.watcher import Watcher
from face_engine.models import load_pack
from gatehouse.sample_people import sample_people
from gatehouse.scenes import FRAME_RATE, walk_up

SECONDS: Final = 3.0
ROUNDS: Final = 9
_PEOPLE: Final = 3


def run() -> list[Figure]:
    """Measure in turn and return the figures."""
    cv2.setNumThreads(1)
    pack = load_pack()
    films = [
        list(walk_up(person.cutout, np.random.default_rng(1), seconds=SECONDS))
        for person in sample_people(pack)[:_PEOPLE]
    ]
    turns = {shown: itertools.cycle(films) for shown in (True, False)}
    sizes: list[int] = []

    def sighting(*, shown: bool) -> None:
        watcher, now = Watcher(pack), 1.0
        watcher.watch(Watch(40, 300, 35, 2, encode=True, crops=False, attempts=3))
        previewer = Previewer(lambda: now)
        if shown:
            previewer.show(Show(SECONDS + 1))
        for number, image in enumerate(next(turns[shown])):
            now = 1 + number / FRAME_RATE
            for found in watcher.look(Frame(image, int(now * 1e9), number)):
                if isinstance(found, Sighting):
                    watcher.answered(Answer(found.sighting, settled=found.final))
            if previewer.due(watching=True):
                jpeg = previewer.make(image)
                faces = watcher.boxes(image)
                sizes.append(len(frame(Preview(jpeg, 0, watching=True, faces=faces))))

    figure = paired(
        "a second before the camera, seen on the screen",
        lambda: sighting(shown=True),
        lambda: sighting(shown=False),
        reference_name="not seen",
        rounds=ROUNDS,
        clock=time.process_time,
    ).per(int(SECONDS))
    rate = len(sizes) / SECONDS / (WARM_UP_ROUNDS + ROUNDS)
    return [
        figure.noted(
            f"CPU time, one thread; {rate:.1f} pictures a second of {np.mean(sizes) / 1024:.1f} KiB"
        )
    ]
