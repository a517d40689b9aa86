"""A confidential door keeps its key in memory alone, and knows nobody until the server gives it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from door_terminal import command
from door_terminal.errors import StartRefused
from door_terminal.settings import Settings
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import furnish, in_step, pair, running_door
from tests.door_terminal.samples import QUICK, person

PIN, UNIT = "482915", "3-1-1201"


@pytest.fixture
def data(estate: Estate, tmp_path: Path) -> Path:
    """The folder of a confidential door that is paired with the estate."""
    estate.device_key = os.urandom(32)
    data = tmp_path / "door"
    pair(estate, data, "confidential")
    return data


def _files(folder: Path) -> Iterator[bytes]:
    return (one.read_bytes() for one in folder.rglob("*") if one.is_file())


@pytest.mark.long
def test_after_a_power_cut_without_the_server_nobody_is_known_until_it_is_back(
    estate: Estate, data: Path
) -> None:
    furnish(estate, person("a", unit=UNIT, pin=QUICK.hash(PIN)))
    with running_door(data, input_exit="simulated") as door:
        in_step(estate)
        assert door.pin(UNIT, PIN)["granted"]
        door.kill()
    assert not any(estate.device_key in content for content in _files(data))
    estate.down()
    with running_door(data, input_exit="simulated") as door:
        assert not door.state()["key"]
        for _ in range(20):  # none of these counts as a wrong PIN
            refused = door.pin(UNIT, PIN)
            assert (refused["granted"], refused["reason"]) == (False, "key-awaited")
        door.wire(exit=False)
        eventually(lambda: door.state()["inputs"]["exit"] is False)
        door.wire(exit=True)
        eventually(lambda: len(door.openings()) == 2)
        estate.up()
        eventually(lambda: door.state()["key"])
        assert door.pin(UNIT, PIN)["granted"]
        in_step(estate)
    # Of 20 refusals, the opening before and after, and the exit button, none is lost.
    assert len(estate.entries) == 23


@pytest.mark.long
def test_a_server_that_does_not_know_the_question_is_asked_again(
    estate: Estate, data: Path
) -> None:
    key, estate.device_key = estate.device_key, b""
    furnish(estate, person("a", unit=UNIT, pin=QUICK.hash(PIN)))
    with running_door(data) as door:
        eventually(lambda: door.state()["link"])
        assert door.pin(UNIT, PIN)["reason"] == "key-awaited"
        estate.device_key = key
        in_step(estate)
        assert door.pin(UNIT, PIN)["granted"]


@pytest.mark.long
def test_a_key_of_another_estate_opens_nothing_and_the_door_stays_shut(
    estate: Estate, data: Path
) -> None:
    furnish(estate, person("a", unit=UNIT, pin=QUICK.hash(PIN)))
    with running_door(data):
        in_step(estate)
    estate.device_key = os.urandom(32)
    with running_door(data) as door:
        eventually(lambda: door.state()["key"])
        assert not door.pin(UNIT, PIN)["granted"]
        assert not door.state()["configured"]


def test_the_way_of_keeping_keys_does_not_change_under_what_is_sealed(
    estate: Estate, data: Path
) -> None:
    with pytest.raises(StartRefused) as refused:
        command._pair(Settings(data=data), estate.url, estate.code(), "", "available", again=True)
    assert refused.value.code == "already-paired"
