"""Wanting in is more than passing by: near enough, long enough, facing the door, once."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from door_terminal.vision.messages import Advice
from door_terminal.vision.sightings import (
    LOOK_AGAIN_S,
    PASSING_OVER_S,
    PATIENCE_S,
    STEP_OUT_S,
    UNCLEAR_AFTER_S,
    Candidate,
    ZoneRules,
)
from face_engine.quality import Quality
from face_engine.tracking import GoodFrame

RULES = ZoneRules(min_face_px=60, dwell_s=0.3, max_yaw_deg=35, frames=2)
NEAR = Quality(
    face_px=80,
    sharpness=0.6,
    brightness=120,
    contrast=40,
    yaw_deg=3,
    pitch_deg=0,
    roll_deg=0,
    score=0.9,
)
CROP = np.zeros((112, 112, 3), np.uint8)


def look(at: float, quality: Quality = NEAR) -> GoodFrame:
    return GoodFrame(CROP, quality, at)


def watch(candidate: Candidate, seconds: float, quality: Quality = NEAR, start: float = 0) -> float:
    """Show the face at ten pictures a second; return when it was ready, else -1."""
    for step in range(round(seconds * 10) + 1):
        candidate.offer(look(start + step / 10, quality))
        if candidate.ready:
            return start + step / 10
    return -1


def told(candidate: Candidate) -> Advice:
    return candidate.advice


def test_who_faces_the_door_for_long_enough_wants_in() -> None:
    assert watch(Candidate(RULES, 0), 2) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("seen", "advice"),
    [
        (NEAR, Advice.LOOKING),
        (replace(NEAR, face_px=59, yaw_deg=60), Advice.CLOSER),
        (replace(NEAR, yaw_deg=-60, score=0.05), Advice.TURN),
        (replace(NEAR, face_px=100, score=0.05), Advice.HOLD),
        (replace(NEAR, score=0.05), Advice.CLOSER),
    ],
)
def test_a_face_is_told_what_keeps_it_from_being_seen_well(seen: Quality, advice: Advice) -> None:
    candidate = Candidate(RULES, 0)
    assert told(candidate) is Advice.LOOKING
    candidate.offer(look(0, seen))
    assert told(candidate) is advice
    candidate.closed = True
    assert told(candidate) is Advice.DONE


def test_who_is_asked_to_turn_the_head_is_not_told_to_face_the_door() -> None:
    candidate = Candidate(RULES, 0)
    watch(candidate, 1)
    candidate.attempt()
    candidate.challenge()
    candidate.offer(look(1.2, replace(NEAR, yaw_deg=50)))
    assert told(candidate) is Advice.LOOKING
    candidate.challenge_over()
    assert told(candidate) is Advice.TURN


@pytest.mark.parametrize(
    "passing",
    [
        replace(NEAR, face_px=59),
        replace(NEAR, yaw_deg=36),
        replace(NEAR, yaw_deg=-60),
        replace(NEAR, score=0.05),
    ],
)
def test_who_is_far_or_turned_away_or_unrecognisable_is_no_sighting(passing: Quality) -> None:
    assert watch(Candidate(RULES, 0), 30, passing) == -1


def test_a_glance_in_passing_is_no_sighting() -> None:
    candidate = Candidate(RULES, 0)
    for start in range(10):  # two tenths of a second every second
        assert watch(candidate, 0.2, start=start) == -1
    assert not candidate.unclear(ended=True)


def test_a_face_lost_for_a_moment_never_left() -> None:
    candidate = Candidate(RULES, 0)
    candidate.offer(look(0))
    candidate.offer(look(STEP_OUT_S))
    assert candidate.ready


def test_who_steps_out_starts_over_with_other_frames() -> None:
    candidate = Candidate(RULES, 0)
    first = look(0)
    candidate.offer(first)
    candidate.keep(first, CROP, np.ones(4, np.float32))
    candidate.offer(look(STEP_OUT_S + 0.1))
    assert not candidate.ready
    assert candidate.vectors == []


def test_one_track_is_reported_once() -> None:
    candidate = Candidate(RULES, 0)
    watch(candidate, 1)
    candidate.attempt()
    candidate.answered(1, settled=True)
    assert watch(candidate, 60, start=1) == -1
    assert not candidate.unclear(ended=True)


def test_who_was_let_in_and_stays_counts_again_and_each_time_later() -> None:
    candidate = Candidate(RULES, 0)
    at, sightings = 0.0, []
    while at < 120:
        candidate.offer(look(at))
        if candidate.ready:
            sightings.append(at)
            candidate.attempt()
            candidate.answered(at, settled=True, again_s=10)
        at += 0.1
    waits = [later - earlier for earlier, later in pairwise(sightings)]
    assert waits == pytest.approx([10.3, 20.3, 40.3], abs=0.25)


def test_better_frames_replace_worse_ones_and_take_their_vectors_along() -> None:
    candidate = Candidate(replace(RULES, dwell_s=10), 0)
    for number, score in enumerate((0.3, 0.4, 0.8, 0.9, 0.5)):
        frame = look(number * 0.2, replace(NEAR, score=score))
        if candidate.offer(frame):
            candidate.keep(frame, CROP, np.full(4, score, np.float32))
    assert [frame.quality.score for frame in candidate.frames] == [0.9, 0.8]
    assert [round(float(vector[0]), 1) for vector in candidate.vectors] == [0.9, 0.8]


def test_a_face_that_cannot_be_seen_well_is_told_so_once_it_has_waited() -> None:
    blurred = replace(NEAR, score=0.05)
    candidate = Candidate(RULES, 0)
    watch(candidate, UNCLEAR_AFTER_S - 0.2, blurred)
    assert not candidate.unclear(ended=False)
    assert candidate.unclear(ended=True)
    watch(candidate, 0.5, blurred, start=UNCLEAR_AFTER_S)
    assert candidate.unclear(ended=False)


TRYING = replace(RULES, attempts=3)


def probes(
    candidate: Candidate, until: float, *, quality: Quality = NEAR
) -> list[tuple[float, int, bool]]:
    """Show a face that is never recognised; return time, frames and finality of each probe."""
    tried = []
    at = 0.0
    while at < until:
        candidate.offer(look(at, quality))
        if candidate.ready:
            tried.append((round(at, 1), len(candidate.frames), candidate.attempt()))
            candidate.answered(at, settled=tried[-1][2])
        at += 0.1
    return tried


def test_whoever_is_not_recognised_at_once_is_tried_with_more_and_more_frames() -> None:
    tried = probes(Candidate(TRYING, 0), 30)
    assert [(frames, final) for _, frames, final in tried] == [(2, False), (4, False), (6, True)]
    assert all(later - earlier >= 0.29 for (earlier, _, _), (later, _, _) in pairwise(tried))


def test_a_recognised_face_is_not_tried_again() -> None:
    candidate = Candidate(TRYING, 0)
    watch(candidate, 1)
    assert not candidate.attempt()
    candidate.answered(1, settled=True)
    assert watch(candidate, 10, start=1) == -1
    assert not candidate.spent(ended=True)


def test_no_further_probe_before_the_answer_to_the_last() -> None:
    candidate = Candidate(TRYING, 0)
    watch(candidate, 1)
    candidate.attempt()
    assert watch(candidate, 10, start=1) == -1


def test_patience_ends_also_without_more_good_frames() -> None:
    candidate = Candidate(TRYING, 0)
    first = watch(candidate, 1)
    assert not candidate.attempt()
    candidate.answered(first, settled=False)
    at = watch(candidate, 10, replace(NEAR, score=0.05), start=first)
    assert at == pytest.approx(first + PATIENCE_S, abs=0.11)
    assert candidate.attempt()


def test_a_face_that_leaves_closes_its_sighting() -> None:
    candidate = Candidate(TRYING, 0)
    first = watch(candidate, 1)
    candidate.attempt()
    assert not candidate.spent(ended=True)  # the answer may still be that it is recognised
    candidate.answered(first, settled=False)
    assert candidate.spent(ended=True)
    assert candidate.attempt(ended=True)


def test_a_frame_of_another_face_is_not_kept_and_what_was_kept_stays() -> None:
    candidate = Candidate(replace(RULES, frames=1), 0)
    first, better = look(0), look(0.5, replace(NEAR, score=1.0))
    one, other = np.eye(2, 128, dtype=np.float32)
    assert candidate.offer(first)
    assert candidate.keep(first, CROP, one)
    assert candidate.offer(better)
    assert not candidate.keep(better, CROP, other)
    (kept,) = candidate.vectors
    assert np.array_equal(kept, one)


def test_after_the_answer_a_face_is_encoded_now_and_then_to_see_whether_it_is_the_same() -> None:
    candidate = Candidate(RULES, 0)
    vector = np.eye(1, 128, dtype=np.float32)[0]
    for at in (0.0, 0.3):
        frame = look(at)
        assert candidate.offer(frame)
        assert candidate.keep(frame, CROP, vector)
    assert candidate.ready
    candidate.attempt()
    candidate.answered(0.3, settled=True)
    encoded = []
    for step in range(4, 34):
        frame = look(step / 10)
        if candidate.offer(frame):
            candidate.keep(frame, CROP, vector)
            encoded.append(frame.at)
    assert len(encoded) == pytest.approx(3 / LOOK_AGAIN_S, abs=1)
    assert len(candidate.vectors) == 2


def crosses(
    candidate: Candidate,
    eyes_a_second: float,
    seconds: float,
    *,
    quality: Quality = NEAR,
    rate: float = 15,
) -> bool:
    """Let a face cross the picture; say whether it ever counted."""
    counted = False
    for step in range(round(seconds * rate) + 1):
        at = step / rate
        candidate.offer(look(at, quality), 20 + at * eyes_a_second * quality.face_px)
        counted = counted or candidate.ready or candidate.unclear(ended=False)
    return counted


@pytest.mark.parametrize("rate", [5, 10, 15, 30])
@pytest.mark.parametrize("eyes_a_second", [8, 12, 20, -12])
def test_who_walks_past_and_looks_at_the_door_opens_nothing_and_is_not_noted(
    eyes_a_second: float, rate: float
) -> None:
    candidate = Candidate(RULES, 0)
    assert not crosses(candidate, eyes_a_second, 2, rate=rate)
    assert not candidate.unclear(ended=True)


def test_who_walks_past_looking_ahead_opens_nothing_however_slowly() -> None:
    profile = replace(NEAR, yaw_deg=70)
    assert not crosses(Candidate(RULES, 0), 1, 10, quality=profile)


def test_who_stops_on_the_way_past_counts_from_then_on() -> None:
    candidate = Candidate(RULES, 0)
    assert not crosses(candidate, 12, 1, rate=10)
    stopped = 20 + 12 * NEAR.face_px
    ready = []
    for step in range(1, 15):
        candidate.offer(look(1 + step / 10), stopped)
        ready += [1 + step / 10] if candidate.ready else []
    assert RULES.dwell_s <= ready[0] - 1 <= RULES.dwell_s + PASSING_OVER_S


@pytest.mark.parametrize("rate", [5, 10, 30])
def test_who_sways_or_whose_landmarks_tremble_does_not_walk(rate: float) -> None:
    for sway, hertz in ((0.4, 1.0), (0.03, rate / 2)):
        candidate, ready = Candidate(RULES, 0), []
        for step in range(round(2 * rate)):
            at = step / rate
            moved = sway * NEAR.face_px * np.sin(2 * np.pi * hertz * at + np.pi / 4)
            candidate.offer(look(at), 300 + float(moved))
            ready += [at] if candidate.ready else []
        assert ready[0] == pytest.approx(RULES.dwell_s, abs=1 / rate)


def test_who_is_being_tried_is_not_given_up_for_a_step_aside() -> None:
    candidate = Candidate(RULES, 0)
    assert watch(candidate, 1) > 0
    candidate.attempt()
    candidate.answered(0.4, settled=False)
    for step in range(1, 8):
        candidate.offer(look(0.4 + step / 10), step * 100)
    assert candidate.ready
