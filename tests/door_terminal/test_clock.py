"""A door knows the time by its server's word, or knows that it does not know it."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_terminal.clock import SAVE_INTERVAL_S, ClockRecord, EffectiveClock, Machine

MONDAY = 1_795_000_000
LEASE = 30 * 86400


@dataclass
class Computer:
    """A machine whose clocks the test turns."""

    boot: int = 0
    since_boot: float = 20.0
    wall: float = 0.0  # a hardware clock without battery starts at 1970

    def machine(self) -> Machine:
        return Machine(f"boot-{self.boot}", lambda: self.since_boot, lambda: self.wall)

    def reboot(self, *, wall: float = 0.0) -> None:
        self.boot += 1
        self.since_boot = 20.0
        self.wall = wall

    def start(self, record: ClockRecord | None = None) -> EffectiveClock:
        return EffectiveClock(
            record or ClockRecord(), self.machine(), longest_lease_s=lambda: LEASE
        )


def test_a_fresh_door_knows_neither_time_nor_news() -> None:
    moment = Computer(wall=MONDAY).start().moment()
    assert (moment.unix, moment.news_age) == (None, None)


def test_effective_time_is_the_servers_word_and_time_since() -> None:
    computer = Computer(wall=5.0)
    clock = computer.start()
    assert clock.hear(MONDAY)
    computer.since_boot += 90
    moment = clock.moment()
    assert (moment.unix, moment.news_age) == (MONDAY + 90, 90)
    assert clock.milliseconds() == (MONDAY + 90) * 1000


def test_the_first_word_of_a_boot_is_kept_before_anybody_is_let_in_by_it() -> None:
    computer = Computer(wall=5.0)
    known: list[bool] = []

    def keep(record: ClockRecord) -> None:
        assert record.news_unix == MONDAY
        known.append(clock.known)

    clock = EffectiveClock(
        ClockRecord(), computer.machine(), longest_lease_s=lambda: LEASE, keep=keep
    )
    clock.hear(MONDAY)
    assert known == [False]
    assert clock.known
    clock.hear(MONDAY + 1)
    assert len(known) == 1, "later ones wait for the next minute"


@pytest.mark.parametrize("jump", [-3600, 3600, 365 * 86400])
def test_setting_the_hardware_clock_changes_nothing_while_running(jump: int) -> None:
    computer = Computer(wall=MONDAY)
    clock = computer.start()
    clock.hear(MONDAY)
    computer.wall += jump
    computer.since_boot += 10
    assert clock.moment().unix == MONDAY + 10


def test_a_restarted_process_goes_on_with_the_same_time() -> None:
    computer = Computer()
    clock = computer.start()
    clock.hear(MONDAY)
    record = clock.record()
    computer.since_boot += 500
    moment = computer.start(record).moment()
    assert (moment.unix, moment.news_age) == (MONDAY + 500, 500)


@pytest.mark.parametrize(
    ("wall", "known"),
    [
        (MONDAY - 1, False),
        (MONDAY, True),
        (MONDAY + 3600, True),
        (MONDAY + LEASE, True),
        (MONDAY + LEASE + 1, False),
        (0, False),
    ],
)
def test_after_a_reboot_a_hardware_clock_is_believed_only_within_the_longest_lease(
    wall: int, *, known: bool
) -> None:
    computer = Computer()
    clock = computer.start()
    clock.hear(MONDAY)
    record = clock.record()
    computer.reboot(wall=wall)
    clock = computer.start(record)
    assert clock.known is known
    assert clock.moment().floor >= MONDAY


def test_an_unknown_time_counts_powered_seconds() -> None:
    computer = Computer()
    clock = computer.start()
    clock.hear(MONDAY)
    computer.since_boot += 1000
    record = clock.record()
    computer.reboot()
    clock = computer.start(record)
    computer.since_boot += 2000
    assert clock.moment().unix is None
    assert clock.moment().news_age == 1000 + 20 + 2000 + SAVE_INTERVAL_S


def test_cutting_the_power_again_and_again_does_not_stop_the_count() -> None:
    computer = Computer()
    clock = computer.start()
    clock.hear(MONDAY)
    record = clock.record()
    for _ in range(60):
        computer.reboot()
        record = computer.start(record).record()
        computer.since_boot += SAVE_INTERVAL_S - 1  # the power goes before the next save
    computer.reboot()
    age = computer.start(record).moment().news_age
    assert age is not None
    assert age >= 60 * SAVE_INTERVAL_S


def test_a_hardware_clock_set_back_to_the_floor_does_not_renew_the_lease() -> None:
    computer = Computer()
    clock = computer.start()
    clock.hear(MONDAY)
    record = clock.record()
    for _ in range(10):
        computer.reboot(wall=MONDAY + 1)
        clock = computer.start(record)
        computer.since_boot += 5 * 86400
        computer.wall = MONDAY + 1
        record = clock.record()
    age = clock.moment().news_age
    assert age is not None
    assert age >= 50 * 86400


def test_a_corrected_server_takes_the_floor_along() -> None:
    computer = Computer()
    clock = computer.start()
    clock.hear(MONDAY + 365 * 86400)
    assert not clock.hear(MONDAY)
    assert clock.moment().floor == MONDAY


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 10**6)), max_size=20))
def test_powered_time_never_runs_backwards(steps: list[tuple[bool, float]]) -> None:
    computer = Computer()
    clock = computer.start()
    last = clock.powered_s()
    for reboot, seconds in steps:
        record = clock.record()
        if reboot:
            computer.reboot()
        computer.since_boot += seconds
        clock = computer.start(record)
        assert clock.powered_s() >= last
        last = clock.powered_s()
