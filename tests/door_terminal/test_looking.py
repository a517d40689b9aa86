"""A door looks for faces by the hours that staff have set, in the estate's own time."""

from datetime import UTC, datetime

import pytest

from door_terminal.configuration import Configuration
from door_terminal.looking import AS_EVER, OFF, SLOW, looking_at
from tests.door_terminal.samples import configured
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import Looking, WeeklyWindow

EVERY_DAY = 127
NIGHT_OFF = Looking(hours=(WeeklyWindow(EVERY_DAY, 360, 1380),), outside="off")


def at(hour: int, minute: int = 0) -> int:
    """That time in Shanghai, eight hours before UTC."""
    return int(datetime(2026, 11, 26, hour, minute, tzinfo=UTC).timestamp()) - 8 * 3600


def looking(wire: Looking, unix: int | None) -> str:
    return looking_at(Configuration.of(configured(looking=wire)), unix)


def test_without_hours_a_door_always_looks() -> None:
    assert looking(Looking(outside="off"), at(3)) == AS_EVER


@pytest.mark.parametrize(
    ("when", "expected"),
    [(at(5, 59), OFF), (at(6), AS_EVER), (at(22, 59), AS_EVER), (at(23), OFF), (None, AS_EVER)],
)
def test_outside_of_its_hours_it_does_not_and_without_a_clock_it_does(
    when: int | None, expected: str
) -> None:
    assert looking(NIGHT_OFF, when) == expected


def test_hours_across_midnight_are_two_windows() -> None:
    night = (WeeklyWindow(EVERY_DAY, 1320, 1440), WeeklyWindow(EVERY_DAY, 0, 360))
    assert looking(Looking(hours=night), at(2)) == AS_EVER
    assert looking(Looking(hours=night), at(23)) == AS_EVER
    assert looking(Looking(hours=night), at(12)) == SLOW


def test_hours_that_make_no_sense_are_refused_whole() -> None:
    wire = configured(looking=Looking(hours=(WeeklyWindow(EVERY_DAY, 1440, 10),)))
    with pytest.raises(MalformedMessage):
        Configuration.of(wire)
