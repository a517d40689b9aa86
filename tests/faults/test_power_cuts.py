"""The power may go at any moment: a door starts again and holds all that anyone had seen of it.

A life of a door is recorded, and its disk rebuilt as it could stand after each prefix: with all,
nothing and some of what no sync covers. SIGKILL alone would prove nothing of it, since it leaves
the system's memory of the disk as it is.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, get_args

import pytest

from tests.door_terminal.estate import running_estate
from tests.faults.power.disk import Disk, Unsynced
from tests.faults.power.door_life import PIN, Life, live
from tests.faults.power.recording import Happened, Synced, can_trace
from tests.faults.power.seen import Onlooker
from tests.faults.power.verdict import Verdict, judge
from tests.support.small_disks import small_disk

SHORT: Final = 24
SOAK: Final = 1500
SOAK_ROUNDS: Final = 20
SEED: Final = 20261126


@dataclass
class Count:
    """What came of many power cuts."""

    cuts: int = 0
    states: int = 0
    made: int = 0
    entries: int = 0
    bad: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        self.states += 1
        self.entries += verdict.entries
        if not verdict.good:
            self.bad.append(verdict)

    def __str__(self) -> str:
        lost = sum(len(one.lost) for one in self.bad)
        doubled = sum(len(one.doubled) for one in self.bad)
        broken = sum(len(one.broken) for one in self.bad)
        return (
            f"{self.made} entries made, {self.cuts} power cuts, {self.states} states"
            f" with {self.entries} entries in all,"
            f" {lost} lost, {doubled} doubled, {broken} broken"
        )


def _moments(events: Sequence[Happened], number: int, chance: Random) -> list[int]:
    """Return lines before which the power goes: half of them right before or after a sync."""
    syncs = [line for one in events if isinstance(one, Synced) for line in (one.end, one.end + 1)]
    all_lines = sorted({line for one in events for line in (one.begin, one.end + 1)})
    beside = chance.sample(syncs, min(number // 2, len(syncs)))
    others = chance.sample(all_lines, min(number - len(beside), len(all_lines)))
    return sorted([*beside, *others])


def _cut(life: Life, moments: Sequence[int], scratch: Path, *, heeds_syncs: bool = True) -> Count:
    """Let the power go at some moments, each with every fate of what was not synced."""
    chance = Random(SEED)
    disk = Disk(life.disk, life.events, heeds_syncs=heeds_syncs)
    onlooker = Onlooker(life.events, PIN)
    count = Count()
    for moment in moments:
        disk.advance(moment)
        onlooker.advance(moment)
        count.cuts += 1
        for unsynced in get_args(Unsynced):
            folder = scratch / "disk"
            disk.build(folder, unsynced, chance)
            count.add(judge(folder / "door", onlooker.seen, life.told))
            shutil.rmtree(folder)
    onlooker.advance(life.lines)
    count.made = len(onlooker.seen.entries)
    print(count)
    return count


@contextmanager
def _recorded(folder: Path, *, rounds: int = 1, unsafe: bool = False) -> Iterator[Life]:
    if not can_trace():
        pytest.skip("recording a disk's writes needs strace, and leave to use it")
    with (
        running_estate(folder / "server", plain=True) as estate,
        small_disk(folder / "disk", megabytes=12 + rounds) as disk,
    ):
        life = live(estate, disk, rounds=rounds, unsafe=unsafe)
        whole = Disk(disk, life.events)
        whole.advance(life.lines)
        for path, content in whole.now().items():
            assert (disk / path).read_bytes() == content, f"{path} is not as recorded"
        yield life


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """Where states are built: in memory, so that the syncs of starting them cost nothing."""
    with small_disk(tmp_path / "states", megabytes=64) as disk:
        yield disk


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with _recorded(tmp_path_factory.mktemp("life")) as life:
        yield life


def test_whenever_the_power_goes_a_door_starts_and_holds_all_that_was_seen_of_it(
    life: Life, scratch: Path
) -> None:
    count = _cut(life, _moments(life.events, SHORT, Random(SEED)), scratch)
    assert count.bad == []


def test_a_disk_that_ignores_syncs_is_found_out(life: Life, scratch: Path) -> None:
    moments = _moments(life.events, SHORT, Random(SEED))[-8:]
    count = _cut(life, moments, scratch, heeds_syncs=False)
    assert any(one.lost for one in count.bad)


def test_a_door_that_leaves_out_syncs_is_found_out(tmp_path: Path, scratch: Path) -> None:
    with _recorded(tmp_path, unsafe=True) as life:
        count = _cut(life, _moments(life.events, SHORT, Random(SEED))[-8:], scratch)
    assert any(one.lost for one in count.bad)


@pytest.mark.soak
def test_over_a_long_life_no_power_cut_takes_back_what_was_seen(
    tmp_path: Path, scratch: Path
) -> None:
    with _recorded(tmp_path, rounds=SOAK_ROUNDS) as life:
        count = _cut(life, _moments(life.events, SOAK, Random(SEED)), scratch)
    assert count.bad == []
