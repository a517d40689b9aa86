"""Guessing is slowed down, also over a restart; a slip of the finger is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from community_server.database import Base
from community_server.errors import TooManyAttempts
from community_server.staff import backoff as module
from community_server.staff.backoff import FORGOTTEN_AFTER, FREE_ATTEMPTS, LONGEST_WAIT, Backoff
from community_server.staff.tables import FailedAttempts
from tier_link.store import open_database

KEY = bytes(32)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path / 'attempts.sqlite'}")
    Base.metadata.tables["staff_attempts"].create(opened)
    yield opened
    opened.dispose()


def wait(backoff: Backoff, *keys: str) -> float:
    with pytest.raises(TooManyAttempts) as refused:
        backoff.check(*keys)
    return refused.value.wait


def test_each_failure_beyond_the_free_ones_doubles_the_wait_up_to_a_bound(engine: Engine) -> None:
    moment = 1000.0
    backoff = Backoff(engine, KEY, clock=lambda: moment)
    for _ in range(FREE_ATTEMPTS):
        backoff.check("name:a")
        backoff.fail("name:a")
    backoff.check("name:a")
    waits = []
    for _ in range(15):
        backoff.fail("name:a")
        waits.append(wait(backoff, "name:b", "name:a"))
        moment += waits[-1]
        backoff.check("name:a")
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == LONGEST_WAIT


def test_a_slip_costs_no_moment_at_all(engine: Engine) -> None:
    backoff = Backoff(engine, KEY, clock=lambda: 1000.25)
    backoff.fail("name:a")
    backoff.check("name:a")


def test_a_restart_forgives_nobody_and_a_clock_set_back_holds_nobody_longer(
    engine: Engine,
) -> None:
    for _ in range(FREE_ATTEMPTS + 3):
        Backoff(engine, KEY, clock=lambda: 5000.0).fail("name:a")
    assert wait(Backoff(engine, KEY, clock=lambda: 5000.0), "name:a") == 8
    assert wait(Backoff(engine, KEY, clock=lambda: 0.0), "name:a") == LONGEST_WAIT
    later = Backoff(engine, KEY, clock=lambda: 5000.0 + FORGOTTEN_AFTER)
    later.fail("name:a")
    later.check("name:a")


def test_success_forgets_and_strangers_do_not_fill_the_disk(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEYS", 20)
    backoff = Backoff(engine, KEY, clock=lambda: 0.0)
    for _ in range(10):
        backoff.fail("name:a")
    backoff.succeed("name:a")
    backoff.check("name:a")
    for number in range(30):
        backoff.fail(f"address:{number}")
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(FailedAttempts)) == 20


def test_what_was_typed_for_a_name_is_not_stored(engine: Engine, tmp_path: Path) -> None:
    Backoff(engine, KEY).fail("name:my secret password")
    engine.dispose()
    assert b"secret password" not in b"".join(
        path.read_bytes() for path in tmp_path.glob("attempts.sqlite*")
    )
