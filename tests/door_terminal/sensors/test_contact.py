"""What an open door means depends on what was released."""

import pytest

from access_rules.alarms import AlarmKind, EntryRemark
from door_terminal.sensors.contact import GRACE_S, AlarmNews, ContactWatch, RemarkNews

FORCED = AlarmNews(AlarmKind.FORCED_OPEN, active=True)
HELD = AlarmNews(AlarmKind.HELD_OPEN, active=True)
OVER = [
    AlarmNews(AlarmKind.FORCED_OPEN, active=False),
    AlarmNews(AlarmKind.HELD_OPEN, active=False),
]


@pytest.fixture
def watch() -> ContactWatch:
    watch = ContactWatch(lambda: 30.0)
    assert list(watch.first(0.0, is_open=False)) == OVER  # whatever there was before a restart
    return watch


def test_a_door_opened_after_its_release_is_no_alarm(watch: ContactWatch) -> None:
    watch.released("a", 10.0, 5.0, awaited=True)
    assert list(watch.opened(15.0 + GRACE_S)) == []
    assert list(watch.passed(40.0)) == []
    assert list(watch.shut()) == OVER


def test_a_door_opened_without_a_release_was_forced(watch: ContactWatch) -> None:
    assert list(watch.opened(10.0)) == [FORCED]
    assert list(watch.shut()) == OVER
    watch.released("a", 20.0, 5.0, awaited=True)
    assert list(watch.opened(25.1 + GRACE_S)) == [FORCED]


def test_a_door_that_stands_open_is_told_of_once(watch: ContactWatch) -> None:
    watch.released("a", 10.0, 5.0, awaited=True)
    list(watch.opened(11.0))
    assert list(watch.passed(45.0)) == []  # thirty seconds from the end of the release
    assert list(watch.passed(45.1)) == [HELD]
    assert list(watch.passed(90.0)) == []
    assert list(watch.shut()) == OVER


def test_each_release_gives_an_open_door_more_time(watch: ContactWatch) -> None:
    watch.released("a", 10.0, 5.0, awaited=True)
    list(watch.opened(11.0))
    watch.released("b", 40.0, 5.0, awaited=True)
    assert list(watch.passed(75.0)) == []
    assert list(watch.passed(75.1)) == [HELD]


def test_a_release_that_nobody_used_is_noted_once(watch: ContactWatch) -> None:
    watch.released("a", 10.0, 5.0, awaited=True)
    assert list(watch.passed(15.0 + GRACE_S)) == []
    assert list(watch.passed(15.1 + GRACE_S)) == [RemarkNews("a", EntryRemark.NOT_PASSED)]
    assert list(watch.passed(99.0)) == []


def test_one_opening_serves_all_that_were_released_for(watch: ContactWatch) -> None:
    watch.released("a", 10.0, 5.0, awaited=True)
    watch.released("b", 11.0, 5.0, awaited=True)
    list(watch.opened(12.0))
    watch.released("c", 13.0, 5.0, awaited=True)  # the door stands open for this one
    list(watch.shut())
    assert list(watch.passed(99.0)) == []


def test_a_fire_release_waits_for_nobody_and_holds_the_door(watch: ContactWatch) -> None:
    for at in range(0, 120, 3):
        watch.released("fire", float(at), 12.0, awaited=False)
        assert list(watch.passed(float(at))) == []
    assert list(watch.opened(120.0)) == []
    assert list(watch.passed(150.0)) == []


def test_a_door_found_open_is_no_break_in_but_must_be_shut() -> None:
    watch = ContactWatch(lambda: 30.0)
    assert list(watch.first(0.0, is_open=True)) == []
    assert list(watch.passed(31.0)) == [HELD]
