"""One picture after another becomes sightings: motion, detection, tracking, encoding."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Final

import cv2
import numpy as np

from door_terminal.camera.reader import Frame
from door_terminal.vision.liveness import LivenessWatch
from door_terminal.vision.messages import (
    MOST_FACES,
    Advice,
    Answer,
    FaceBox,
    PassSeen,
    Sighting,
    Unclear,
    Watch,
)
from door_terminal.vision.motion import MotionGate
from door_terminal.vision.pass_reader import PassReader
from door_terminal.vision.sightings import Candidate, ZoneRules
from face_engine.alignment import align
from face_engine.detector import search_side
from face_engine.encoder import as_probe, fuse
from face_engine.faces import Image, Vectors
from face_engine.landmarks import refine
from face_engine.liveness.challenge import Answer as ChallengeAnswer
from face_engine.liveness.challenge import Turn
from face_engine.liveness.passive import PassiveLiveness, load_passive
from face_engine.models import FacePack
from face_engine.quality import assess_crop
from face_engine.tracking import FORGET_AFTER, FaceTracker, GoodFrame, Track

WATCH_ON_S: Final = 2.0
"""Looking goes on this long after the last movement or face."""
_JPEG_QUALITY: Final = 95
_MOST_CROPS: Final = 4  # of one match request


class Watcher:
    """Looks at pictures; `watch` says what counts and what to send."""

    def __init__(
        self, pack: FacePack, passive: Callable[[], PassiveLiveness] = load_passive
    ) -> None:
        """Take the models; `passive` loads those for liveness once a door wants them."""
        self._pack = pack
        self.liveness = LivenessWatch(passive)
        self._motion = MotionGate()
        self._passes = PassReader()
        self._tracker = FaceTracker()
        self._candidates: dict[int, Candidate] = {}
        self._sighted: dict[str, int] = {}
        self._seen: list[Track] = []
        self._watch: Watch | None = None
        self._rules: ZoneRules | None = None
        self._until = 0.0
        self.detections = 0
        self._most_near = 0

    def most_near(self) -> int:
        """Return the most faces that were near enough at once since this was last asked."""
        most, self._most_near = self._most_near, 0
        return most

    @property
    def blind(self) -> str:
        """Empty, or the code of a camera on whose pictures there is nothing."""
        return self._motion.blind

    @property
    def watching(self) -> bool:
        """Whether something moved lately."""
        return time.monotonic() < self._until

    @property
    def least_interval_s(self) -> float:
        """Pictures closer together than this are not looked at."""
        rate = self._watch.rate if self._watch else 0.0
        return 1.0 / rate if rate else 0.0

    @property
    def faces(self) -> int:
        """How many faces are being followed."""
        return len(self._tracker.tracks)

    def boxes(self, image: Image) -> tuple[FaceBox, ...]:
        """Return where the faces of the picture that was looked at last are, nearest first."""
        height, width = image.shape[:2]
        return tuple(
            _box(track, width, height, self._advice(track)) for track in self._seen[:MOST_FACES]
        )

    def watch(self, watch: Watch) -> None:
        """Take new rules; faces under way start over."""
        self._watch = watch
        self._rules = ZoneRules(
            min_face_px=watch.min_face_px,
            dwell_s=watch.dwell_ms / 1000,
            max_yaw_deg=watch.max_yaw_deg,
            frames=watch.frames,
            attempts=watch.attempts,
        )
        self._candidates.clear()
        if not watch.wanted:
            self._tracker.forget_all()
            self.liveness.keep_only(self._candidates)
        self.liveness.want(wanted=watch.liveness)

    def look(self, frame: Frame) -> Iterator[Sighting | Unclear]:
        """Take one picture and yield what came of it."""
        self._seen = []
        moved = self._motion.moved(frame.image)
        if self._rules is None or self._watch is None:
            return
        if moved or self._tracker.tracks:
            self._until = time.monotonic() + WATCH_ON_S
        if not self.watching or frame.glance:
            return  # from a glance on, the next picture is a whole one
        if not self._watch.wanted:
            return  # passes are read all the same
        at = frame.captured_ns / 1e9
        side = search_side(frame.image, self._watch.min_face_px)
        faces = self._pack.detector.detect(frame.image, longest_side=side)
        self.detections += 1
        seen = self._tracker.update(faces, at)
        near = sum(track.face.eye_distance >= self._watch.min_face_px for track in seen)
        self._most_near = max(self._most_near, near)
        # The largest first: whoever stands nearest is not kept waiting by the queue behind.
        self._seen = sorted(seen, key=lambda one: -one.face.eye_distance)
        for track in self._seen:
            yield from self._look_at(track, frame, self._rules, self._watch)
        yield from self._forget(self._watch)

    def read_passes(self, frame: Frame) -> list[PassSeen]:
        """Return the QR codes of a picture, while something moves and the door takes passes."""
        if self._watch is None or not self._watch.passes or not self.watching or frame.glance:
            return []
        seen = self._passes.read(frame.image, frame.captured_ns)
        if seen:
            # A phone held still moves nothing, and its bearer still waits.
            self._until = time.monotonic() + WATCH_ON_S
        return seen

    def answered(self, answer: Answer) -> None:
        """Take what came of a probe."""
        track = self._sighted.get(answer.sighting, -1)
        candidate = self._candidates.get(track)
        if candidate is None:
            return
        candidate.answered(time.monotonic(), settled=answer.settled, again_s=answer.again_s)
        if answer.turn:
            candidate.challenge()
            self.liveness.ask(track, Turn(answer.turn), time.monotonic())
        elif answer.settled:
            self.liveness.forget(track)

    def encode(self, crops: tuple[bytes, ...]) -> bytes:
        """Return the probe of crops that the server could not be asked about."""
        images = [cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in crops]
        faces = np.stack([np.asarray(image, np.uint8) for image in images])
        return _probe(list(self._pack.encoder.encode(as_probe(faces))))

    def _advice(self, track: Track) -> Advice:
        candidate = self._candidates.get(track.id)
        return candidate.advice if candidate else Advice.LOOKING

    def _candidate(self, track: Track, rules: ZoneRules) -> Candidate:
        return self._candidates.setdefault(track.id, Candidate(rules, track.first_seen))

    def _look_at(
        self, track: Track, frame: Frame, rules: ZoneRules, watch: Watch
    ) -> Iterator[Sighting | Unclear]:
        candidate = self._candidate(track, rules)
        rough = align(frame.image, track.face.landmarks)
        look = GoodFrame(rough, assess_crop(rough, track.face), frame.captured_ns / 1e9)
        if candidate.offer(look, _across(track)):
            face = refine(self._pack.detector, frame.image, track.face)
            crop = align(frame.image, face.landmarks)
            vector = self._encoded(crop, candidate) if watch.encode else None
            if not candidate.keep(look, crop, vector):
                # Somebody else stands where the one before was: a sighting of their own.
                track = self._tracker.part(track)
                candidate = self._candidate(track, rules)
                candidate.offer(look, _across(track))
                candidate.keep(look, crop, vector)
        near = look.quality.face_px >= watch.min_face_px
        if self.liveness.wanted and near and not candidate.closed:
            self._watch_liveness(track, candidate, look, frame.image)
        if candidate.ready:
            final = candidate.attempt()
            yield self._sighting(track.id, candidate, frame.captured_ns, watch, final=final)
        elif candidate.unclear(ended=False):
            candidate.closed = True
            yield _unclear(track.id, candidate, frame.captured_ns)

    def _encoded(self, crop: Image, candidate: Candidate) -> Vectors:
        frames = as_probe(crop[None], earlier=len(candidate.vectors))
        vector: Vectors = self._pack.encoder.encode(frames)[0]
        return vector

    def _watch_liveness(
        self, track: Track, candidate: Candidate, look: GoodFrame, image: Image
    ) -> None:
        kept = look in candidate.frames
        self.liveness.offer(track.id, image, track.face, look.quality, look.at, kept=kept)
        answer = self.liveness.answer(track.id)
        if not candidate.challenged or answer is ChallengeAnswer.WAITING:
            return
        if answer is ChallengeAnswer.PASSED and not candidate.last_probe:
            self.liveness.witness(track.id, self._pack.encoder.encode(look.crop[None])[0])
        candidate.challenge_over()

    def _sighting(
        self, track: int, candidate: Candidate, needed_ns: int, watch: Watch, *, final: bool
    ) -> Sighting | Unclear:
        if not candidate.crops:  # asked to turn, and never looked straight ahead since
            candidate.closed, candidate.waiting = True, False
            return _unclear(track, candidate, needed_ns)
        sighting = secrets.token_hex(8)
        self._sighted[sighting] = track
        return Sighting(
            sighting=sighting,
            first_seen_ns=int(candidate.first_seen * 1e9),
            needed_ns=needed_ns,
            frames=len(candidate.frames),
            probe=_probe(candidate.vectors) if watch.encode else b"",
            crops=_pictures(candidate, watch),
            final=final,
            liveness=self._verdict(track, candidate),
            challenged=candidate.challenged,
            track=track,
        )

    def _verdict(self, track: int, candidate: Candidate) -> str:
        if not self.liveness.wanted:
            return ""
        return self.liveness.verdict(track, candidate.oldest, lambda: self._vectors(candidate))

    def _vectors(self, candidate: Candidate) -> list[Vectors]:
        """The vectors of what is sent, encoded now where the server is to do it."""
        sent = candidate.crops[:_MOST_CROPS]
        return candidate.vectors or list(self._pack.encoder.encode(np.stack(sent)))

    def _forget(self, watch: Watch) -> Iterator[Sighting | Unclear]:
        """Close the sightings of faces that have gone, once their last answer is in."""
        alive = {track.id for track in self._tracker.tracks}
        left_ns = time.monotonic_ns() - int(FORGET_AFTER * 1e9)
        for gone in self._candidates.keys() - alive:
            candidate = self._candidates[gone]
            if candidate.waiting:
                continue
            del self._candidates[gone]
            if candidate.spent(ended=True):
                candidate.attempt(ended=True)
                yield self._sighting(gone, candidate, left_ns, watch, final=True)
            elif candidate.unclear(ended=True):
                yield _unclear(gone, candidate, left_ns)
        self.liveness.keep_only(self._candidates)
        self._sighted = {
            one: track for one, track in self._sighted.items() if track in self._candidates
        }


def _across(track: Track) -> float:
    return float(track.face.landmarks[:2, 0].mean())


def _box(track: Track, width: int, height: int, advice: Advice) -> FaceBox:
    x, y, across, down = (float(value) for value in track.face.box)
    left, right = (min(max(one / width, 0.0), 1.0) for one in (x, x + across))
    top, bottom = (min(max(one / height, 0.0), 1.0) for one in (y, y + down))
    return FaceBox(left, top, right - left, bottom - top, advice, track.id)


def _unclear(track: int, candidate: Candidate, needed_ns: int) -> Unclear:
    return Unclear(
        sighting=secrets.token_hex(8),
        first_seen_ns=int(candidate.first_seen * 1e9),
        needed_ns=needed_ns,
        frames=len(candidate.frames),
        track=track,
    )


def _probe(vectors: list[Vectors]) -> bytes:
    return fuse(np.stack(vectors)).astype("<f4").tobytes()


def _pictures(candidate: Candidate, watch: Watch) -> tuple[bytes, ...]:
    wanted = _MOST_CROPS if watch.crops else int(watch.snapshot)
    return tuple(_jpeg(crop) for crop in candidate.crops[:wanted])


def _jpeg(crop: Image) -> bytes:
    _, encoded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return encoded.tobytes()
