"""One wish to come in is one entry, however often the face is seen."""

import numpy as np

from door_terminal.decisions.cooldown import Cooldown
from tests.door_terminal.samples import unit_vector


def test_a_person_just_dealt_with_is_held_back_and_later_is_not() -> None:
    cooldown = Cooldown()
    cooldown.note("ada", None, 10.0)
    assert cooldown.holds_back("ada", None, 14.9, 5.0)
    assert not cooldown.holds_back("bao", None, 14.9, 5.0)
    assert not cooldown.holds_back("ada", None, 15.0, 5.0)


def test_the_same_stranger_is_one_and_another_is_another() -> None:
    cooldown = Cooldown()
    stranger, other = unit_vector(1), unit_vector(2)
    again = stranger + 0.3 * unit_vector(3)
    again = np.asarray(again / np.linalg.norm(again), np.float32)
    cooldown.note("", stranger, 10.0)
    assert cooldown.holds_back("", again, 12.0, 5.0)
    assert not cooldown.holds_back("", other, 12.0, 5.0)
    assert not cooldown.holds_back("", again, 15.0, 5.0)


def test_without_a_vector_no_stranger_is_held_back_for_another() -> None:
    cooldown = Cooldown()
    cooldown.note("", None, 10.0)
    assert not cooldown.holds_back("", None, 10.1, 5.0)


def test_a_recognised_person_is_not_held_back_for_a_stranger() -> None:
    cooldown = Cooldown()
    cooldown.note("", unit_vector(1), 10.0)
    assert not cooldown.holds_back("ada", unit_vector(1), 10.1, 5.0)


def test_a_crowd_does_not_fill_the_memory() -> None:
    cooldown = Cooldown()
    for seed in range(500):
        cooldown.note("", unit_vector(seed), 10.0)
    assert len(cooldown._strangers) <= 64
