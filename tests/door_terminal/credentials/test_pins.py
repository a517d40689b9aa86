"""A PIN with its unit opens; guessing gets slow, and stays slow through a restart."""

import argon2
import pytest
from sqlalchemy import Engine

from access_rules.decision import DecisionReason
from community_server.people.pins import draw_pin
from door_terminal.clock import EffectiveClock
from door_terminal.credentials.backoff import UNIT_PATIENCE, Backoff, Patience
from door_terminal.credentials.pins import NOBODYS_HASH, PinChecker
from door_terminal.roster import RosterBook, unit_key
from tests.door_terminal.conftest import Time, make_read_only
from tests.door_terminal.samples import QUICK, person

ADA = person("a", pin=QUICK.hash("482915"))
BAO = person("b", pin=QUICK.hash("730164"))
CHEN = person("c", unit="3-1-1202", pin=QUICK.hash("482915"))
DORA = person("d", pin="not a hash")
BOOK = RosterBook(
    people={one.person: one for one in (ADA, BAO, CHEN, DORA)},
    units={
        unit_key("3-1-1201"): (DORA.person, ADA.person, BAO.person),
        unit_key("3-1-1202"): (CHEN.person,),
    },
)


@pytest.fixture
def checker(engine: Engine, clock: EffectiveClock) -> PinChecker:
    return PinChecker(lambda: BOOK, Backoff(engine, clock.powered_s()), clock)


@pytest.mark.parametrize(
    ("unit", "pin", "whose"),
    [
        ("3-1-1201", "482915", ADA),
        ("3 1 1201", "730164", BAO),
        ("3-1-1202", "482915", CHEN),
        ("3-1-1202", "730164", None),
        ("3-1-1201", "48291", None),
        ("9-9-9", "482915", None),
        ("", "482915", None),
        ("3-1-1201", "4" * 17, None),
    ],
)
def test_a_pin_counts_only_with_its_unit(
    checker: PinChecker, unit: str, pin: str, whose: object
) -> None:
    check = checker.check(unit, pin)
    assert check.person == whose
    assert check.problem is (None if whose else DecisionReason.PIN_WRONG)


@pytest.mark.usefixtures("real_hashing")
def test_checking_nobodys_hash_costs_what_a_pin_from_the_server_costs() -> None:
    _, hashed = draw_pin([])
    assert argon2.extract_parameters(NOBODYS_HASH) == argon2.extract_parameters(hashed)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(NOBODYS_HASH, "482915")


def test_guessing_gets_slow_and_a_restart_does_not_help(
    checker: PinChecker, engine: Engine, clock: EffectiveClock, time: Time
) -> None:
    for _ in range(UNIT_PATIENCE.free):
        assert checker.check("3-1-1201", "000000").wait_s == 0
    assert checker.check("3-1-1201", "000000").wait_s == UNIT_PATIENCE.first_s
    again = PinChecker(lambda: BOOK, Backoff(engine, clock.powered_s()), clock)
    check = again.check("3-1-1201", "482915")
    assert (check.person, check.problem) == (None, DecisionReason.PIN_LOCKED)
    assert again.check("3-1-1202", "482915").person == CHEN  # the neighbours do not suffer
    time.now += UNIT_PATIENCE.first_s + 1
    assert again.check("3-1-1201", "482915").person == ADA


def test_after_a_power_cut_a_slip_locks_nobody_out_and_a_wait_begins_anew_at_most(
    checker: PinChecker, engine: Engine, clock: EffectiveClock, time: Time
) -> None:
    checker.check("3-1-1202", "000000")
    for _ in range(UNIT_PATIENCE.free + 1):
        checker.check("3-1-1201", "000000")
    cut = clock.powered_s()
    time.now -= 50  # what was counted since it was stored last is lost
    again = PinChecker(lambda: BOOK, Backoff(engine, cut - 50), clock)
    assert again.check("3-1-1202", "482915").person == CHEN
    check = again.check("3-1-1201", "482915")
    assert (check.problem, check.wait_s) == (DecisionReason.PIN_LOCKED, UNIT_PATIENCE.first_s)
    time.now += UNIT_PATIENCE.first_s
    assert again.check("3-1-1201", "482915").person == ADA


def test_a_right_pin_forgives_the_wrong_ones(checker: PinChecker) -> None:
    for _ in range(10):
        for _ in range(UNIT_PATIENCE.free):
            checker.check("3-1-1201", "000000")
        assert checker.check("3-1-1201", "482915").person == ADA


def test_going_from_unit_to_unit_is_slowed_too(
    checker: PinChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("door_terminal.credentials.pins.NOBODYS_HASH", QUICK.hash("nobody's"))
    checks = [checker.check(f"5-{number}", "000000") for number in range(20)]
    assert checks[-1].problem is DecisionReason.PIN_LOCKED


def test_a_full_disk_still_counts_in_memory(engine: Engine, clock: EffectiveClock) -> None:
    backoff = Backoff(engine, clock.powered_s())
    make_read_only(engine)
    checker = PinChecker(lambda: BOOK, backoff, clock)
    for _ in range(UNIT_PATIENCE.free + 1):
        checker.check("3-1-1201", "000000")
    assert checker.check("3-1-1201", "482915").problem is DecisionReason.PIN_LOCKED


def test_waits_double_up_to_a_longest() -> None:
    patience = Patience(free=2, first_s=30, longest_s=100)
    assert [patience.wait(failures) for failures in range(6)] == [0, 0, 0, 30, 60, 100]
    assert patience.wait(10_000) == 100
