"""A face counts while somebody is felt, and shortly after a press, and not otherwise."""

import pytest

from door_terminal.sensors.wanting import PRESENCE_S, Wanting


def test_nobody_wants_in_before_the_first_sign() -> None:
    assert not Wanting().covers(0)


def test_a_press_counts_for_a_while_and_the_next_one_anew() -> None:
    wanting = Wanting()
    wanting.changed(100, active=True)
    wanting.changed(100.2, active=False)
    assert wanting.covers(100.2 + PRESENCE_S)
    assert not wanting.covers(100.3 + PRESENCE_S)
    wanting.changed(120, active=True)
    wanting.changed(120.2, active=False)
    assert wanting.covers(125)


@pytest.mark.parametrize("seconds", [1, 60, 86_400])
def test_who_is_felt_counts_for_as_long_as_they_stand_there(seconds: float) -> None:
    wanting = Wanting()
    wanting.changed(100, active=True)
    assert wanting.covers(100 + seconds)
    wanting.changed(100 + seconds, active=False)
    assert wanting.covers(100 + seconds + PRESENCE_S)
    assert not wanting.covers(100.1 + seconds + PRESENCE_S)


def test_an_input_that_was_never_active_opens_no_while() -> None:
    wanting = Wanting()
    wanting.changed(100, active=False)
    assert not wanting.covers(101)
