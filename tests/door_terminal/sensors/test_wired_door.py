"""A real door with wires: the way out works whatever else is dead, a fire outlives a SIGKILL."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import in_step, running_door, start_door, wire
from tests.door_terminal.samples import QUICK, configured, person
from tier_link.errors import RequestFailed
from tier_link.estate_messages import ESTATE, FireReset

PIN, UNIT, STAFF_PIN = "482915", "3-1-1201", "604318"
STAFF = "5" * 32
WIRED: dict[str, Any] = {
    f"input_{name}": "simulated" for name in ("exit", "fire", "contact", "tamper")
}


def furnish(estate: Estate, **more: Any) -> None:
    estate.configure(configured(reset_pin=QUICK.hash(STAFF_PIN), **more))
    estate.enroll(person("a", pin=QUICK.hash(PIN)))


def test_the_exit_button_works_without_vision_link_or_configuration(
    estate: Estate, data: Path, tmp_path: Path
) -> None:
    estate.down()
    pipe = tmp_path / "camera"
    os.mkfifo(pipe)  # opening it hangs, as a driver may
    wire(data, exit=True)  # found pressed: somebody leans on it, nobody presses it now
    with running_door(data, "--camera", str(pipe), **WIRED) as door:
        state = door.state()
        assert (state["configured"], state["link"]) == (False, False)
        assert state["vision"] != ""
        door.wire(exit=False)
        eventually(lambda: door.state()["inputs"]["exit"] is False)
        door.vision().kill()
        assert door.openings() == []
        door.wire(exit=True)
        eventually(lambda: len(door.openings()) == 1)
        estate.up()
        eventually(lambda: len(estate.entries) == 1)
        (entry,) = estate.entries
        assert [entry.entry] == door.openings()
        assert (entry.reason, entry.direction, entry.credential) == ("exit-button", "out", "none")
        assert door.stop() == 0


def test_a_fire_outlives_a_sigkill_and_is_ended_by_staff_alone(estate: Estate, data: Path) -> None:
    furnish(estate)
    door = start_door(data, **WIRED)
    in_step(estate)
    door.wire(fire=True)
    eventually(lambda: len(door.openings()) >= 1)
    assert door.end_fire(STAFF_PIN)["message"]["en"].startswith("The fire panel still reports")
    door.kill()
    wire(data, fire=False)
    before = len(door.openings())
    with running_door(data, **WIRED) as door:
        eventually(lambda: len(door.openings()) >= before + 2)
        state = door.state()
        assert (state["fire"], state["burning"]) == (True, False)
        assert door.end_fire("000000")["ended"] is False
        assert door.end_fire(STAFF_PIN)["ended"] is True
        assert door.state()["fire"] is False
        eventually(lambda: len(estate.alarms) == 2)
        assert len(set(door.openings())) == len(estate.entries) == 1
        assert [(one.kind, one.active) for one in estate.alarms] == [
            ("fire", True),
            ("fire", False),
        ]
        assert {one.alarm for one in estate.alarms} == set(door.openings())

        door.wire(fire=True)
        eventually(lambda: len(estate.alarms) == 3)
        question = FireReset(STAFF)
        assert estate.link is not None
        with pytest.raises(RequestFailed) as refused:
            estate.link.request(ESTATE.kind(question), ESTATE.encode(question), 5)
        assert refused.value.code == "fire-still-active"
        door.wire(fire=False)
        eventually(lambda: not door.state()["burning"])
        estate.link.request(ESTATE.kind(question), ESTATE.encode(question), 5)
        eventually(lambda: len(estate.alarms) == 4)
        assert (estate.alarms[3].active, estate.alarms[3].by) == (False, STAFF)


@pytest.mark.long
def test_a_door_tells_of_force_of_standing_open_and_of_its_case(estate: Estate, data: Path) -> None:
    furnish(estate, held_open_s=1.0, gate_open_s=0.2)
    with running_door(data, **WIRED) as door:
        in_step(estate)
        assert door.pin(UNIT, PIN)["granted"]
        eventually(lambda: len(estate.remarks) == 1)  # nobody opened the door
        assert estate.remarks[0].remark == "not-passed"
        assert estate.remarks[0].entry == estate.entries[0].entry
        door.wire(contact=True, tamper=True)
        kinds = {"forced-open", "held-open", "case-tamper"}
        eventually(lambda: {one.kind for one in estate.alarms} == kinds)
        assert door.state()["alarms"] == sorted(kinds)
        door.wire()
        eventually(lambda: len(estate.alarms) == 2 * len(kinds))
        assert {one.kind for one in estate.alarms if not one.active} == kinds
        assert door.state()["alarms"] == []
