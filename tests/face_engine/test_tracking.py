from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from face_engine.alignment import TARGET, align
from face_engine.evaluation.encoding import central_face
from face_engine.faces import Face, Vectors
from face_engine.images import decode_photo
from face_engine.landmarks import refine
from face_engine.models import FacePack
from face_engine.quality import Quality
from face_engine.tracking import BestFrames, FaceTracker, GoodFrame, shows_another
from tests.support.shared_data import shared_folder


def face(x: float, y: float = 0, scale: float = 1) -> Face:
    landmarks = (TARGET * scale + (x, y)).astype(np.float32)
    box = np.array([x + 10 * scale, y, 90 * scale, 120 * scale], np.float32)
    return Face(box, landmarks, 0.9)


def good_frame(score: float, at: float) -> GoodFrame:
    quality = Quality(60, 0.8, 120, 40, 0, 0, 0, score)
    return GoodFrame(np.zeros((112, 112, 3), np.uint8), quality, at)


def test_a_walking_face_keeps_its_identity() -> None:
    tracker = FaceTracker()
    ids = {
        tracker.update([face(8.0 * step, scale=1 + step / 50)], step / 15)[0].id
        for step in range(30)
    }
    assert len(ids) == 1
    assert tracker.tracks[0].frames == 30
    assert tracker.tracks[0].age == pytest.approx(29 / 15)


def test_two_faces_side_by_side_are_never_mixed_up() -> None:
    tracker = FaceTracker()
    first, second = tracker.update([face(0), face(150)], 0)
    for step in range(1, 20):
        swapped = tracker.update([face(150 - step), face(0 + step)], step / 15)
        assert [track.id for track in swapped] == [second.id, first.id]


def test_a_quick_step_without_overlap_is_followed() -> None:
    tracker = FaceTracker()
    (before,) = tracker.update([face(0, scale=0.5)], 0)
    (after,) = tracker.update([face(18, scale=0.5)], 0.1)
    assert after.id == before.id


def test_a_face_elsewhere_or_of_another_size_is_somebody_else() -> None:
    tracker = FaceTracker()
    (first,) = tracker.update([face(0)], 0)
    (far,) = tracker.update([face(400)], 0.1)
    (large,) = tracker.update([face(-100, -100, scale=3)], 0.2)
    assert len({first.id, far.id, large.id}) == 3


def test_a_short_gap_is_bridged_and_a_long_one_is_not() -> None:
    tracker = FaceTracker(forget_after=0.8)
    (first,) = tracker.update([face(0)], 0)
    tracker.update([], 0.4)
    (back,) = tracker.update([face(5)], 0.7)
    assert back.id == first.id
    (later,) = tracker.update([face(5)], 2.0)
    assert later.id != first.id
    assert len(tracker.tracks) == 1


def test_the_best_frames_are_kept_spread_in_time() -> None:
    best = BestFrames(count=2, least_score=0.3, apart=0.2)
    assert not best.offer(good_frame(0.1, 0))
    assert best.offer(good_frame(0.5, 0.0))
    assert not best.offer(good_frame(0.4, 0.1))
    assert best.offer(good_frame(0.6, 0.1))
    assert len(best.frames) == 1
    assert best.offer(good_frame(0.4, 0.5))
    assert best.enough
    assert best.offer(good_frame(0.9, 0.8))
    assert [frame.quality.score for frame in best.frames] == [0.9, 0.6]
    assert not best.offer(good_frame(0.5, 2.0))


def test_a_frame_shows_another_only_when_it_is_unlike_all_frames_kept() -> None:
    one, other = np.eye(2, 128, dtype=np.float32)
    between = (one + other) / np.float32(np.sqrt(2))
    assert shows_another(other, [one])
    assert not shows_another(other, [one, between])
    assert not shows_another(other, [])


def test_a_track_that_is_another_faces_goes_on_under_a_new_identity() -> None:
    tracker = FaceTracker()
    tracker.update([face(0)], 0)
    (first,) = tracker.update([face(2)], 0.1)
    other = tracker.part(first)
    assert (other.first_seen, other.frames) == (0.1, 1)
    assert tracker.tracks == (other,)
    assert tracker.update([face(4)], 0.2) == [other]


@pytest.mark.soak
def test_people_in_the_wild_are_told_from_who_stood_there_before(pack: FacePack) -> None:
    """Photos of different days stand for frames here: frames of one track are more alike."""
    folders = sorted((shared_folder("lfw-dev") / "images").iterdir())
    two = [photos[:3] for one in folders if len(photos := sorted(one.glob("*.jpg"))) > 2]
    found = [vectors for photos in two[:300] if len(vectors := [*_vectors(pack, photos)]) > 2]
    newcomers = [last for *_, last in found]
    same = [shows_another(last, kept) for *kept, last in found]
    other = [
        shows_another(newcomer, kept)
        for number, (*kept, _) in enumerate(found)
        for newcomer in (*newcomers[:number], *newcomers[number + 1 :])
    ]
    print(
        f"\n{len(found)} people, two frames kept: another's frame shows it in {np.mean(other):.1%} "
        f"of {len(other)}, the same person's seems to in {np.mean(same):.1%} of {len(same)}"
    )
    assert np.mean(other) > 0.95
    assert np.mean(same) < 0.02


def _vectors(pack: FacePack, photos: Sequence[Path]) -> Iterator[Vectors]:
    for photo in photos:
        image = decode_photo(photo.read_bytes())
        faces = pack.detector.detect(image)
        if faces:
            face = refine(pack.detector, image, central_face(faces, image))
            yield pack.encoder.encode(align(image, face.landmarks)[None])[0]
