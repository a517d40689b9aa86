"""Few passwords are hashed at one time, few wait, and the rest hear at once that they have to."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from community_server.errors import TooManyAttempts
from community_server.staff.hashing import HashingLine


def test_no_more_are_at_it_than_may_be_and_whoever_finds_the_line_full_is_told() -> None:
    line, go, here = HashingLine(at_once=2, most_in_line=3), threading.Event(), []
    most = 0
    lock = threading.Lock()

    def work() -> str:
        nonlocal most
        try:
            with line.turn():
                with lock:
                    here.append(1)
                    most = max(most, len(here))
                go.wait(10)
                with lock:
                    here.pop()
        except TooManyAttempts as refusal:
            go.set()  # the line was full: let it move
            return f"wait {refusal.wait:.0f} s"
        return "done"

    with ThreadPoolExecutor(6) as pool:
        came = sorted(one.result() for one in [pool.submit(work) for _ in range(6)])
    assert (came, most) == (["done"] * 5 + ["wait 3 s"], 2)


def test_a_turn_that_fails_leaves_the_line() -> None:
    line = HashingLine(at_once=1, most_in_line=0)
    for _ in range(3):
        with pytest.raises(ValueError, match="slip"), line.turn():
            raise ValueError("slip")
    with line.turn(), pytest.raises(TooManyAttempts), line.turn():
        pass
