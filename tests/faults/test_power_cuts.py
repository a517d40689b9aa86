"""The power may go at any moment: doors and servers start again and hold all that was seen of them.

A life of a door is recorded, and its disk rebuilt as it could stand after each prefix: with all,
nothing and some of what no sync covers. SIGKILL alone would prove nothing of it, since it leaves
the system's memory of the disk as it is.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, Protocol, TypeVar, get_args

import pytest

from face_engine.models import default_folder, load_pack
from tests.door_terminal.estate import running_estate
from tests.faults.power import server_life
from tests.faults.power.disk import Disk, Unsynced
from tests.faults.power.door_life import PIN, Life, live
from tests.faults.power.recording import Happened, Recording, Synced, can_trace
from tests.faults.power.seen import Onlooker
from tests.faults.power.verdict import Verdict, judge
from tests.support.small_disks import small_disk

SHORT: Final = 24
SOAK: Final = int(os.environ.get("GATEHOUSE_TEST_CUTS", "1500"))
SOAK_SERVER: Final = SOAK // 3  # a server takes longer to start than a door
SOAK_ROUNDS: Final = 20
SEED: Final = 20261126
NO_STRACE: Final = "recording a disk's writes needs strace, and leave to use it"


class Beheld(Protocol):
    """What had been seen; `entries` are ids."""

    @property
    def entries(self) -> Collection[str]: ...


S = TypeVar("S", bound=Beheld)


class Watcher(Protocol[S]):
    """Follows a recording, and knows what had been seen up to where it is."""

    seen: S

    def advance(self, line: int) -> None: ...


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


def _cut(
    recording: Recording,
    moments: Sequence[int],
    scratch: Path,
    watcher: Watcher[S],
    judge: Callable[[Path, S], Verdict],
    *,
    heeds_syncs: bool = True,
) -> Count:
    """Let the power go at some moments, each with every fate of what was not synced."""
    chance = Random(SEED)
    disk = Disk(recording.disk, recording.events, heeds_syncs=heeds_syncs)
    count = Count()
    for moment in moments:
        disk.advance(moment)
        watcher.advance(moment)
        count.cuts += 1
        for unsynced in get_args(Unsynced):
            folder = scratch / "disk"
            disk.build(folder, unsynced, chance)
            count.add(judge(folder, watcher.seen))
            shutil.rmtree(folder)
    watcher.advance(recording.lines)
    count.made = len(watcher.seen.entries)
    print(count)
    return count


def _cut_door(
    life: Life, moments: Sequence[int], scratch: Path, *, heeds_syncs: bool = True
) -> Count:
    return _cut(
        life,
        moments,
        scratch,
        Onlooker(life.events, PIN),
        lambda folder, seen: judge(folder / "door", seen, life.told),
        heeds_syncs=heeds_syncs,
    )


def _as_recorded(recording: Recording) -> None:
    """Prove that the recording missed nothing: its end is what lies on the disk."""
    whole = Disk(recording.disk, recording.events)
    whole.advance(recording.lines)
    for path, content in whole.now().items():
        assert (recording.disk / path).read_bytes() == content, f"{path} is not as recorded"


@contextmanager
def _recorded(folder: Path, *, rounds: int = 1, unsafe: bool = False) -> Iterator[Life]:
    if not can_trace():
        pytest.skip(NO_STRACE)
    with (
        running_estate(folder / "server", plain=True) as estate,
        small_disk(folder / "disk", megabytes=12 + rounds) as disk,
    ):
        life = live(estate, disk, rounds=rounds, unsafe=unsafe)
        _as_recorded(life)
        yield life


@contextmanager
def _recorded_server(folder: Path, *, rounds: int) -> Iterator[Recording]:
    if not can_trace():
        pytest.skip(NO_STRACE)
    with small_disk(folder / "disk", megabytes=64) as disk:
        recording = server_life.live(disk, rounds=rounds)
        _as_recorded(recording)
        yield recording


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """Where states are built: in memory, so that the syncs of starting them cost nothing."""
    with small_disk(tmp_path / "states", megabytes=64) as disk:
        yield disk


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with _recorded(tmp_path_factory.mktemp("life")) as life:
        yield life


@pytest.fixture
def one_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the models once for all the servers that are started: they lie on no disk of these."""
    pack = load_pack(folder=default_folder())
    monkeypatch.setattr("community_server.estate.load_pack", lambda *_, **__: pack)


@pytest.mark.long
def test_whenever_the_power_goes_a_door_starts_and_holds_all_that_was_seen_of_it(
    life: Life, scratch: Path
) -> None:
    count = _cut_door(life, _moments(life.events, SHORT, Random(SEED)), scratch)
    assert count.bad == []


@pytest.mark.long
def test_a_disk_that_ignores_syncs_is_found_out(life: Life, scratch: Path) -> None:
    moments = _moments(life.events, SHORT, Random(SEED))[-8:]
    count = _cut_door(life, moments, scratch, heeds_syncs=False)
    assert any(one.lost for one in count.bad)


@pytest.mark.soak  # another one of a disk that ignores syncs stays
def test_a_door_that_leaves_out_syncs_is_found_out(tmp_path: Path, scratch: Path) -> None:
    with _recorded(tmp_path, unsafe=True) as life:
        count = _cut_door(life, _moments(life.events, SHORT, Random(SEED))[-8:], scratch)
    assert any(one.lost for one in count.bad)


@pytest.mark.long
@pytest.mark.usefixtures("one_pack")
def test_whenever_the_power_goes_a_server_starts_and_holds_all_that_it_had_answered(
    tmp_path: Path, scratch: Path
) -> None:
    with _recorded_server(tmp_path, rounds=3) as recording:
        moments = _moments(recording.events, SHORT // 3, Random(SEED))
        listener = server_life.Listener(recording.events)
        count = _cut(recording, moments, scratch, listener, _judge_server)
        ignored = server_life.Listener(recording.events)
        without = _cut(recording, moments[-2:], scratch, ignored, _judge_server, heeds_syncs=False)
    assert count.bad == []
    assert without.bad != []


@pytest.mark.soak
def test_over_a_long_life_no_power_cut_takes_back_what_was_seen(
    tmp_path: Path, scratch: Path
) -> None:
    with _recorded(tmp_path, rounds=SOAK_ROUNDS) as life:
        count = _cut_door(life, _moments(life.events, SOAK, Random(SEED)), scratch)
    assert count.bad == []


@pytest.mark.soak
@pytest.mark.usefixtures("one_pack")
def test_over_a_long_life_no_power_cut_takes_back_what_a_server_had_answered(
    tmp_path: Path, scratch: Path
) -> None:
    with _recorded_server(tmp_path, rounds=SOAK_ROUNDS) as recording:
        moments = _moments(recording.events, SOAK_SERVER, Random(SEED))
        listener = server_life.Listener(recording.events)
        count = _cut(recording, moments, scratch, listener, _judge_server)
    assert count.bad == []


def _judge_server(folder: Path, seen: server_life.Answered) -> Verdict:
    return server_life.judge(folder / "server", seen)
