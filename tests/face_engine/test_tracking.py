import numpy as np
import pytest

from face_engine.alignment import TARGET
from face_engine.faces import Face
from face_engine.quality import Quality
from face_engine.tracking import BestFrames, FaceTracker, GoodFrame


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
