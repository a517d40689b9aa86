"""Hours of the day are read as people write them, and told to doors as windows of the week."""

import pytest

from community_server.doors.hours import every_day, read_minute, written
from tier_link.estate_messages import WeeklyWindow


@pytest.mark.parametrize("minute", [0, 59, 450, 1439])
def test_what_is_written_is_read_back(minute: int) -> None:
    assert read_minute(written(minute)) == minute


@pytest.mark.parametrize("text", ["", "24:00", "7:30", "07:60", "07:30:00", " 07:30", "noon", 450])
def test_what_is_no_time_of_day_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="07:30"):
        read_minute(text)


@pytest.mark.parametrize(
    ("begins", "ends", "spans"),
    [
        (0, 0, []),
        (450, 450, []),
        (360, 1380, [(360, 1380)]),
        (1320, 390, [(1320, 1440), (0, 390)]),
        (1320, 0, [(1320, 1440)]),
    ],
)
def test_hours_across_midnight_are_two_windows_and_the_same_time_twice_is_always(
    begins: int, ends: int, spans: list[tuple[int, int]]
) -> None:
    assert every_day(begins, ends) == tuple(WeeklyWindow(127, *span) for span in spans)
