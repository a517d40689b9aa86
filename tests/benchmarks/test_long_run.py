"""A door in traffic stays as it was: its memory, its pace, and its word."""

import pytest

from benchmarks.long_run import run


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["local", "remote"])
def test_an_hour_of_traffic_changes_nothing(mode: str) -> None:
    assert run(60, mode) == []
