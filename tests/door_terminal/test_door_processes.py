"""The door as a whole: real processes, models, cameras, link, TLS, database, gate file."""

import os
import random as seeded
import signal
import threading
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from door_terminal.vision.process import CONTROLLER_SILENCE_S
from face_engine.faces import Image
from face_engine.models import FacePack
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import walk_up
from tests.door_terminal.estate import DOOR, Estate, eventually
from tests.door_terminal.processes import (
    Door,
    enrolled,
    furnish,
    gatehouse,
    in_step,
    running_door,
    start_door,
)
from tests.door_terminal.samples import QUICK, configured, person
from tier_link.estate_messages import MatchAnswer

PIN, UNIT = "482915", "3-1-1201"


def comes(feed: CameraFeed, sample: SamplePerson, seed: int = 1) -> None:
    feed.show(walk_up(sample.cutout, np.random.default_rng(seed), seconds=3))


def lives(process: psutil.Process) -> bool:
    """Say whether a process still runs; a frozen parent has not reaped its dead child yet."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def side_by_side(left: SamplePerson, right: SamplePerson) -> list[Image]:
    """Let two people walk up together."""
    films = (
        walk_up(person.cutout, np.random.default_rng(seed), seconds=4)
        for seed, person in enumerate((left, right), start=1)
    )
    halves = ((one[:, 160:480], other[:, 160:480]) for one, other in zip(*films, strict=True))
    return [np.hstack(pair) for pair in halves]


def test_a_door_opens_for_the_enrolled_alone_and_goes_on_when_the_server_is_gone(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
) -> None:
    ada = enrolled(pack, people["Ada"], "a", pin=QUICK.hash(PIN))
    chen = enrolled(pack, people["Chen"], "c")
    furnish(estate, ada, chen)
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        comes(feed, people["Ada"])
        eventually(lambda: len(estate.entries) == 1)
        comes(feed, people["Fang"])
        eventually(lambda: len(estate.entries) == 2)
        assert [(one.person, one.granted, one.reason) for one in estate.entries] == [
            (ada.person, True, "within-rules"),
            ("", False, "not-recognized"),
        ]
        assert (estate.entries[0].matched, estate.entries[0].frames) == ("local", 2)

        estate.down()
        eventually(lambda: not door.state()["link"])
        comes(feed, people["Chen"])
        eventually(lambda: len(door.openings()) == 2)
        assert door.pin(UNIT, PIN)["granted"]
        assert len(estate.entries) == 2
        estate.up()
        eventually(lambda: len(estate.entries) == 4, within=30)
        assert {one.person for one in estate.entries[2:]} == {chen.person, ada.person}
        assert [one.entry for one in estate.granted()] == door.openings()
        assert [one.door_sequence for one in estate.entries] == [1, 2, 3, 4]

        estate.erase(chen.person)
        eventually(lambda: door.state()["roster_version"] == estate.roster_version)
        comes(feed, people["Chen"], seed=2)
        eventually(lambda: len(estate.entries) == 5)
        assert not estate.entries[-1].granted
        assert len(door.openings()) == 3
        assert door.stop() == 0


@pytest.mark.long
def test_a_dead_or_frozen_vision_process_is_replaced_and_the_pin_works_meanwhile(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
) -> None:
    ada = enrolled(pack, people["Ada"], "a", pin=QUICK.hash(PIN))
    furnish(estate, ada)
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        for number, blow in enumerate((signal.SIGKILL, signal.SIGSTOP), start=1):
            eventually(door.sees, within=60)
            first = door.vision()
            first.send_signal(blow)
            assert door.pin(UNIT, PIN)["granted"]
            first.wait(30)
            assert door.pin(UNIT, PIN)["granted"]
            _restarted(door, number)
        eventually(door.sees, within=60)
        comes(feed, people["Ada"])
        eventually(lambda: estate.entries and estate.entries[-1].credential == "face")
        assert estate.entries[-1].granted


@pytest.mark.long
def test_vision_ends_with_a_controller_that_is_killed_and_with_one_that_is_frozen(
    estate: Estate, data: Path, feed: CameraFeed, pack: FacePack
) -> None:
    del pack  # without models vision would end for another reason
    furnish(estate, person("a", pin=QUICK.hash(PIN)))
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        first = door.vision()
        door.process.send_signal(signal.SIGSTOP)
        eventually(lambda: not lives(first), within=CONTROLLER_SILENCE_S + 20)
        door.process.send_signal(signal.SIGCONT)
        assert door.pin(UNIT, PIN)["granted"]
        eventually(door.sees, within=60)
        second = door.vision()
        assert second.pid != first.pid
        door.kill()
        eventually(lambda: not lives(second))


def test_a_camera_driver_that_hangs_costs_the_vision_process_and_nothing_else(
    estate: Estate, data: Path, tmp_path: Path, pack: FacePack
) -> None:
    del pack  # without models vision would end for another reason
    pipe = tmp_path / "camera"
    os.mkfifo(pipe)  # opening it hangs, as a driver may
    furnish(estate, person("a", pin=QUICK.hash(PIN)))
    with running_door(data, "--camera", str(pipe), camera_hang_s=0.5) as door:
        in_step(estate)
        eventually(lambda: door.state()["vision_starts"] >= 2, within=60)
        assert door.pin(UNIT, PIN)["granted"]


@pytest.mark.long
def test_a_weak_door_asks_the_server_and_does_without_it(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
) -> None:
    ada = enrolled(pack, people["Ada"], "a")
    furnish(estate, ada, mode="remote")
    estate.answer_match = lambda _: MatchAnswer(ada.person, "")
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        comes(feed, people["Ada"])
        eventually(lambda: len(estate.entries) == 1)
        estate.answer_match = lambda _: None
        comes(feed, people["Fang"])
        eventually(lambda: len(estate.entries) == 2)
    assert [(one.granted, one.matched) for one in estate.entries] == [
        (True, "remote"),
        (False, "local"),
    ]
    assert estate.presences[-1].mode == "remote"


@pytest.mark.long
@pytest.mark.parametrize("mode", ["remote", pytest.param("hybrid", marks=pytest.mark.soak)])
def test_a_weak_door_whose_server_is_gone_matches_by_itself_and_says_so(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
    mode: str,
) -> None:
    slow = mode == "remote"  # by its own choice a hybrid door is fast enough
    ada = enrolled(pack, people["Ada"], "a")
    furnish(estate, ada, mode=mode)
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        assert (door.state()["mode"], door.state()["slow"]) == (mode, False)
        estate.down()
        eventually(lambda: not door.state()["link"])
        assert door.state()["slow"] is slow
        status = gatehouse("door", "status", "--data", str(data), cwd=data.parent).stdout
        assert ("more slowly" in status) is slow
        comes(feed, people["Ada"])
        eventually(lambda: len(door.openings()) == 1)
        estate.up()
        eventually(lambda: estate.entries, within=30)
        (entry,) = estate.entries
        assert (entry.person, entry.granted, entry.matched) == (ada.person, True, "local")
        in_step(estate)
        presence = estate.presences[-1]
        assert (presence.mode, presence.decisions) == (mode, 1)
        assert presence.decision_ms > 0
        assert presence.mode_for_s > 0
        assert presence.detect_ms > 0
        assert presence.encode_ms > 0
        estate.configure(configured(mode="local"))
        eventually(lambda: estate.presences[-1].mode == "local")
        assert estate.presences[-1].mode_for_s < presence.mode_for_s


@pytest.mark.long
def test_two_people_at_once_are_two_entries(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
) -> None:
    ada = enrolled(pack, people["Ada"], "a")
    chen = enrolled(pack, people["Chen"], "c")
    furnish(estate, ada, chen)
    with running_door(data, "--camera", feed.url) as door:
        in_step(estate)
        eventually(door.sees, within=60)
        feed.show(side_by_side(people["Ada"], people["Chen"]))
        eventually(lambda: len(estate.entries) == 2)
    assert {(one.person, one.granted) for one in estate.entries} == {
        (ada.person, True),
        (chen.person, True),
    }


@pytest.mark.long
def test_a_second_face_behind_one_grant_is_remarked_on(
    estate: Estate,
    data: Path,
    feed: CameraFeed,
    pack: FacePack,
    people: dict[str, SamplePerson],
) -> None:
    ada = enrolled(pack, people["Ada"], "a")
    furnish(estate, ada)
    with running_door(data, "--camera", feed.url, input_contact="simulated") as door:
        in_step(estate)
        eventually(door.sees, within=60)
        feed.show(side_by_side(people["Ada"], people["Fang"]))
        eventually(lambda: len(door.openings()) == 1)
        door.wire(contact=True)
        eventually(lambda: door.state()["inputs"]["contact"] and len(estate.entries) == 2)
        door.wire(contact=False)
        eventually(lambda: estate.remarks)
    (granted,) = estate.granted()
    assert [(one.entry, one.remark) for one in estate.remarks] == [(granted.entry, "tailgating")]


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.long) for n in (2, 3))])
def test_sigkill_at_any_moment_loses_no_entry_and_opens_nothing_twice(
    estate: Estate, data: Path, seed: int
) -> None:
    furnish(estate, person("a", pin=QUICK.hash(PIN)))
    dice = seeded.Random(seed)
    told: list[str] = []  # entries that somebody at the door has seen the outcome of
    for round_ in range(2):
        door = start_door(data)
        if round_ == 0:
            in_step(estate)
        pressing = threading.Thread(target=_press, args=(door, told))
        pressing.start()
        _more_than(told, len(told))
        threading.Event().wait(dice.uniform(0, 0.4))  # the moment itself is what is tried
        door.kill()
        pressing.join()
    with running_door(data) as door:
        eventually(lambda: door.state()["link"] and door.state()["unsent"] == 0)
        opened = door.openings()
    recorded = [one.entry for one in estate.entries]
    assert len(recorded) == len(set(recorded))
    assert set(told) <= set(recorded)
    assert len(opened) == len(set(opened))
    assert set(opened) <= {one.entry for one in estate.granted()}
    sequences = [one.door_sequence for one in estate.entries]
    assert sequences == list(range(1, len(sequences) + 1))


def _restarted(door: Door, times: int) -> None:
    eventually(lambda: door.state()["vision_starts"] > times)


def _more_than(told: list[str], before: int) -> None:
    eventually(lambda: len(told) > before)


def _press(door: Door, told: list[str]) -> None:
    while True:
        try:
            told.append(door.pin(UNIT, PIN)["entry"])
        except httpx.HTTPError:
            return


@pytest.mark.long
def test_what_an_installer_can_get_wrong_is_a_sentence(
    estate: Estate, data: Path, tmp_path: Path
) -> None:
    unpaired = gatehouse("door", "run", "--data", str(tmp_path / "new"), cwd=tmp_path)
    assert (unpaired.returncode, unpaired.stderr.count("\n")) == (1, 1)
    assert "not-paired" in unpaired.stderr
    wrong = gatehouse(
        *("door", "pair", "--server", estate.url, "--code", "0000-0000-0000-0000"),
        *("--data", str(tmp_path / "new")),
        cwd=tmp_path,
    )
    assert wrong.returncode == 1
    assert "pairing-code-unknown" in wrong.stderr
    right = gatehouse(
        *("door", "pair", "--server", estate.url, "--code", estate.code()),
        *("--data", str(tmp_path / "new")),
        cwd=tmp_path,
    )
    assert (right.returncode, right.stdout.count("\n")) == (0, 1)
    assert f"paired door={DOOR}" in right.stdout
    again = gatehouse(
        *("door", "pair", "--server", estate.url, "--code", "x", "--data", str(data)), cwd=tmp_path
    )
    assert "already-paired" in again.stderr
    asleep = gatehouse("door", "status", "--data", str(data), cwd=tmp_path)
    assert "no door runs" in asleep.stderr
    with running_door(data) as door:
        second = gatehouse("door", "run", "--data", str(data), cwd=tmp_path)
        assert (second.returncode, "already-running" in second.stderr) == (1, True)
        status = gatehouse("door", "status", "--data", str(data), cwd=tmp_path)
        assert f"id             {DOOR}" in status.stdout
        refused = gatehouse(
            *("door", "pin", "--unit", "1", "--pin", "000000", "--data", str(data)), cwd=tmp_path
        )
        assert refused.returncode == 1
        assert "wrong" in refused.stdout
        assert door.stop() == 0


def test_an_idle_door_leaves_the_detector_alone(
    estate: Estate, data: Path, feed: CameraFeed, pack: FacePack
) -> None:
    del pack
    furnish(estate)
    with running_door(data, "--camera", feed.url) as door:
        eventually(door.sees, within=60)
        eventually(lambda: door.state()["watching"] is False)
        before = door.state()
        eventually(lambda: door.state()["frames"] >= before["frames"] + 10)
        assert door.state()["detections"] == before["detections"]
        assert isinstance(door.vision(), psutil.Process)
