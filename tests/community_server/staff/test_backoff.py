"""Guessing is slowed down; a slip of the finger is not."""

import pytest

from community_server.errors import TooManyAttempts
from community_server.staff.backoff import FREE_ATTEMPTS, LONGEST_WAIT, MOST_KEYS, Backoff


def test_each_failure_beyond_the_free_ones_doubles_the_wait_up_to_a_bound() -> None:
    moment = 0.0
    backoff = Backoff(clock=lambda: moment)
    for _ in range(FREE_ATTEMPTS):
        backoff.check("name:a")
        backoff.fail("name:a")
    backoff.check("name:a")
    waits = []
    for _ in range(15):
        backoff.fail("name:a")
        with pytest.raises(TooManyAttempts) as refused:
            backoff.check("name:b", "name:a")
        waits.append(refused.value.wait)
        moment += refused.value.wait
        backoff.check("name:a")
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == LONGEST_WAIT


def test_success_forgets_and_strangers_do_not_fill_the_memory() -> None:
    backoff = Backoff(clock=lambda: 0.0)
    for _ in range(10):
        backoff.fail("name:a")
    backoff.succeed("name:a")
    backoff.check("name:a")
    for number in range(MOST_KEYS + 10):
        backoff.fail(f"address:{number}")
    assert len(backoff._failures) == MOST_KEYS
