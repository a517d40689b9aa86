"""An alarm is told once when it begins and once when it is over, whatever happens in between."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access_rules.alarms import AlarmKind
from door_terminal.alarms import MOST_UNSAVED, AlarmLog
from door_terminal.clock import EffectiveClock
from door_terminal.self_check import DISK_LOW, SelfCheck
from tests.door_terminal.conftest import Time
from tier_link.estate_messages import ESTATE, AlarmChanged
from tier_link.store import LinkStore


class Alarms:
    def __init__(self, engine: Engine, clock: EffectiveClock) -> None:
        self.engine, self.clock = engine, clock
        self.store = LinkStore(engine, keep_acknowledged=timedelta(days=7))
        self.woken = 0
        self.start()

    def start(self) -> None:
        self.log = AlarmLog(self.engine, self.store, "server", self.clock, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def told(self) -> list[AlarmChanged]:
        records = self.store.pending("server", 0, limit=1000)
        messages = [ESTATE.decode(one.kind, one.body) for one in records]
        return [one for one in messages if isinstance(one, AlarmChanged)]


@pytest.fixture
def alarms(engine: Engine, clock: EffectiveClock) -> Alarms:
    return Alarms(engine, clock)


def test_begin_and_end_carry_one_id_and_repeats_are_silent(alarms: Alarms) -> None:
    for active in (False, True, True, False, False):
        alarms.log.put(AlarmKind.CASE_TAMPER, active=active)
    first, second = alarms.told()
    assert (first.kind, first.active, second.active) == ("case-tamper", True, False)
    assert first.alarm == second.alarm
    assert (first.at, first.time_known) == (1_795_000_000_000, True)
    assert alarms.woken == 2


def test_an_alarm_outlives_a_restart(alarms: Alarms) -> None:
    alarms.log.put(AlarmKind.FIRE, active=True, alarm="f" * 32)
    alarms.start()
    assert alarms.log.find(AlarmKind.FIRE) == "f" * 32
    assert alarms.log.put(AlarmKind.FIRE, active=True) is False
    alarms.log.put(AlarmKind.FIRE, active=False)
    alarms.start()
    assert alarms.log.active() == {}
    assert [one.active for one in alarms.told()] == [True, False]


def fill_disk(engine: Engine) -> None:
    """Let SQLite believe that the disk is full."""
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_delays_what_is_told_and_is_not_filled_in_memory(alarms: Alarms) -> None:
    fill_disk(alarms.engine)
    changes = 0
    while changes < 3 * MOST_UNSAVED:
        alarms.log.put(AlarmKind.FORCED_OPEN, active=changes % 2 == 0)
        changes += 1
    alarms.log.put(AlarmKind.FIRE, active=True)
    assert set(alarms.log.active()) == {"fire"}
    assert len(alarms.log._unsaved) <= MOST_UNSAVED
    with alarms.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    alarms.log.save()
    told = alarms.told()
    assert told[-1].kind == "fire"
    began = [one.alarm for one in told if one.active]
    ended = [one.alarm for one in told if not one.active]
    assert set(began) - set(ended) == {told[-1].alarm}
    alarms.start()
    assert set(alarms.log.active()) == {"fire"}


def test_the_terminal_calls_for_help_about_camera_disk_and_log(
    alarms: Alarms, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, filled, free = "", 0.0, DISK_LOW * 10

    class Usage:
        @property
        def free(self) -> int:
            return free

    monkeypatch.setattr("door_terminal.self_check.shutil.disk_usage", lambda _: Usage())
    check = SelfCheck(Path(), alarms.log, lambda: camera, lambda: filled, lambda: time.now)

    def seen() -> set[str]:
        check.look()
        return set(alarms.log.active())

    assert seen() == set()
    camera, filled, free = "camera-absent", 0.91, DISK_LOW - 1
    assert seen() == {"disk-low", "entries-filling"}
    time.now += 121
    assert seen() == {"disk-low", "entries-filling", "camera-lost"}
    camera = "camera-blind"  # pictures come, and there is nothing on them
    assert seen() == {"disk-low", "entries-filling", "camera-blind"}
    camera, filled, free = "", 0.85, DISK_LOW + 1  # not yet clear of where they began
    assert seen() == {"disk-low", "entries-filling"}
    filled, free = 0.5, DISK_LOW * 10
    assert seen() == set()
