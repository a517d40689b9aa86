"""Error rates by kind of presentation, from recordings or from rendered films."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from face_engine.errors import EvaluationImpossible, PhotoRefused
from face_engine.evaluation.bounds import Bounded, share
from face_engine.evaluation.folders import Person, read_people
from face_engine.evaluation.liveness.judging import SEARCH_SIDE, UNSEEN, Judged, judge
from face_engine.evaluation.liveness.recordings import LIVE, has_recordings, read_recordings
from face_engine.evaluation.liveness.scenes import FRAME_S, Kind, Portrait, film
from face_engine.faces import Detector, Image
from face_engine.images import decode_photo
from face_engine.landmarks import refine
from face_engine.liveness.challenge import Turn
from face_engine.liveness.fusion import PASSIVE_EVEN, Liveness
from face_engine.liveness.passive import PassiveLiveness
from face_engine.quality import assess

RENDERED_NOTE: Final = (
    "Measured on rendered films, not on people: one shape of head, simple cameras, papers and "
    "screens. Real attacks and real light will differ."
)
LIMITS_NOTE: Final = (
    "Not stopped: a mask, nor, without the challenge, a film of the person on a good screen; with "
    "it, a film in which the person happens to turn the right way, and now and then another."
)
_TURN_DEGREES: Final = 27.0
_FRONTAL_YAW, _FRONTAL_PITCH, _FRONTAL_ROLL = 12.0, 15.0, 12.0
_LEAST_EYES_PX: Final = 30
_CHALLENGED: Final = (
    (Kind.LIVE_STILL, True),
    (Kind.LIVE_GLANCE, True),
    (Kind.PRINT, True),
    (Kind.PRINT_TILTING, True),
    (Kind.PRINT_BENT, True),
    (Kind.CARD, True),
    (Kind.SCREEN, True),
    (Kind.VIDEO, False),
)
"""What answers the challenge, and whether it turns; a film cannot."""


@dataclass(frozen=True, slots=True)
class _Presentation:
    person: str
    kind: str
    judged: Judged


def _frames(portrait: Portrait, kind: Kind, turn: float | None) -> Iterator[tuple[float, Image]]:
    for number, image in enumerate(film(portrait, kind, turn=turn)):
        yield number * FRAME_S, image


def _portrait(person: Person, detector: Detector) -> Portrait | None:
    """The first of somebody's photos that shows a face straight ahead."""
    for file in person.photos:
        try:
            photo = decode_photo(file.read_bytes())
        except PhotoRefused:
            continue
        faces = detector.detect(photo, longest_side=SEARCH_SIDE)
        if not faces:
            continue
        # The one in the middle: in portraits others stand beside or behind.
        middle = np.array(photo.shape[1::-1]) / 2
        face = min(faces, key=lambda one: float(np.linalg.norm(one.landmarks[2] - middle)))
        face = refine(detector, photo, face)
        quality = assess(photo, face)
        if (
            face.eye_distance >= _LEAST_EYES_PX
            and abs(quality.yaw_deg) <= _FRONTAL_YAW
            and abs(quality.pitch_deg) <= _FRONTAL_PITCH
            and abs(quality.roll_deg) <= _FRONTAL_ROLL
        ):
            return Portrait.of(person.name, photo, face.landmarks)
    return None


def _portraits(folder: Path, people: int, skip: int, detector: Detector) -> list[Portrait]:
    candidates = read_people(folder)
    random.Random(0).shuffle(candidates)  # noqa: S311 — a fair pick that repeats, not a secret
    found: list[Portrait] = []
    for person in candidates[skip:]:
        if len(found) == people:
            break
        portrait = _portrait(person, detector)
        if portrait is not None:
            found.append(portrait)
    if not found:
        beyond = f" beyond the first {skip} people" if skip else ""
        raise EvaluationImpossible(
            f"{folder} holds no photo of a face that looks straight ahead{beyond}"
        )
    return found


def _bounded(name: str, rate: Bounded | None) -> dict[str, float]:
    if rate is None:
        raise EvaluationImpossible("a kind without presentations")
    return {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}


def _row(kind: str, presentations: Sequence[_Presentation], *, live: bool) -> dict[str, Any]:
    """Shares of what became of one kind's presentations, with 95% bounds by drawing people."""
    people = sorted({one.person for one in presentations})
    place = {person: index for index, person in enumerate(people)}
    trials = np.zeros(len(people))
    outcomes: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(people)))
    for one in presentations:
        trials[place[one.person]] += 1
        outcomes[one.judged.outcome][place[one.person]] += 1
    row: dict[str, Any] = {
        "kind": kind,
        "people": len(people),
        "presentations": len(presentations),
    }
    for name, outcome in (
        ("accepted" if live else "apcer", Liveness.LIVE),
        ("bpcer" if live else "detected", Liveness.SPOOF),
        ("undecided", Liveness.UNDECIDED),
        ("unseen", UNSEEN),
    ):
        row |= _bounded(name, share(outcomes[str(outcome)], trials))
    judged = [one.judged for one in presentations]
    scores = [one.passive for one in judged if one.passive is not None]
    row["passive_says_live"] = (
        sum(score > PASSIVE_EVEN for score in scores) / len(scores) if scores else None
    )
    row["parallax_says_head"] = sum(one.parallax > 0 for one in judged) / len(judged)
    return row


def _rows(presentations: Sequence[_Presentation]) -> dict[str, Any]:
    """Rows of live kinds and of attacks, and the live ones taken together."""
    by_kind: dict[str, list[_Presentation]] = defaultdict(list)
    for one in presentations:
        by_kind[one.kind].append(one)
    live = {kind: rows for kind, rows in by_kind.items() if kind.startswith(LIVE)}
    attacks = [_row(kind, rows, live=False) for kind, rows in by_kind.items() if kind not in live]
    together = _row(LIVE, [one for rows in live.values() for one in rows], live=True)
    return {
        "bpcer": together["bpcer"],
        "bpcer_low": together["bpcer_low"],
        "bpcer_high": together["bpcer_high"],
        "undecided": together["undecided"],
        "apcer": max(row["apcer"] for row in attacks),
        "live": [_row(kind, rows, live=True) for kind, rows in live.items()],
        "attacks": attacks,
    }


def _rendered(
    portraits: Sequence[Portrait],
    detector: Detector,
    passive: PassiveLiveness | None,
    *,
    challenged: bool,
    progress: bool,
) -> list[_Presentation]:
    plan = [
        (portrait, kind, turns)
        for portrait in portraits
        for kind, turns in (_CHALLENGED if challenged else [(kind, False) for kind in Kind])
    ]
    presentations = []
    what = "challenged films" if challenged else "films"
    for number, (portrait, kind, turns) in enumerate(
        tqdm(plan, desc=what, unit="film", disable=not progress)
    ):
        asked = (Turn.LEFT, Turn.RIGHT)[number // len(_CHALLENGED) % 2] if challenged else None
        degrees = asked.sign * _TURN_DEGREES if asked is not None and turns else None
        frames = _frames(portrait, kind, degrees)
        judged = judge(frames, detector, passive, asked)
        presentations.append(_Presentation(portrait.name, str(kind), judged))
    return presentations


def evaluate_liveness(
    folder: Path,
    detector: Detector,
    passive: PassiveLiveness | None,
    *,
    people: int = 40,
    skip: int = 0,
    progress: bool = False,
) -> dict[str, Any]:
    """Measure on a folder; the answer is plain values for JSON, rates are shares (0..1).

    A folder with `live` in it is read as recordings (see `recordings`). Any other is read as one
    folder of photos per person, from which films of heads, prints and screens are rendered, with
    and without a challenge: of at most `people`, in an order that is always the same, from which
    the first `skip` are left out. Figures are held out only where whoever set the method's numbers
    looked at none of those people.

    `apcer` is the worst kind's. `undecided` presentations are neither accepted nor detected: what
    becomes of them is the door's policy. Bounds are of 95%, by drawing people.

    Raises:
        EvaluationImpossible: the folder holds nothing to measure on.
    """
    result: dict[str, Any] = {"passive": passive is not None, "limits": LIMITS_NOTE}
    if has_recordings(folder):
        presentations = [
            _Presentation(one.person, one.kind, judge(one.frames(), detector, passive))
            for one in tqdm(
                read_recordings(folder), desc="recordings", unit="film", disable=not progress
            )
        ]
        return result | {"source": "recordings", "note": ""} | _rows(presentations)
    portraits = _portraits(folder, people, skip, detector)
    free, challenged = (
        _rows(_rendered(portraits, detector, passive, challenged=asked, progress=progress))
        for asked in (False, True)
    )
    return result | {"source": "rendered", "note": RENDERED_NOTE} | free | {"challenge": challenged}
