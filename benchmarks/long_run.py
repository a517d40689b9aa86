"""A door in traffic for minutes or an hour: `python -m benchmarks.long_run MINUTES`.

Real processes of all tiers; residents and strangers walk up one after another. Prints what each
quarter of the run was like, and ends with status 1 where the door did not stay as it was: more
memory, slower against the same models run beside it, somebody let in or kept out wrongly, or an
entry that is not at the server exactly once.
"""

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.traffic import RESIDENTS, Crossing, Traffic, open_door, percentile
from gatehouse.local_estate import wait_for

QUARTERS: Final = 4
MOST_GROWTH: Final = 8 * 2**20
"""Bytes by which a process may be larger in the last quarter than in the second: page caches and
allocators settle in the first; a leak of 8 KiB a person shows in an hour."""
MOST_SLOWER: Final = 1.5
"""Decision against bare models, the last quarter's median against the first's."""
ENOUGH: Final = 50
"""People let in, in each of the two: medians of fewer differ by more than that by chance."""


@dataclass(frozen=True)
class Quarter:
    """A part of the run, equally long as each other."""

    crossings: Sequence[Crossing]
    memory: dict[str, int]

    @property
    def let_in(self) -> list[Crossing]:
        """Whoever was let in."""
        return [one for one in self.crossings if one.granted]

    @property
    def against_models(self) -> float:
        """Median of the ratios of decision and bare models."""
        return statistics.median(one.decided_ms / one.models_ms for one in self.let_in)

    def __str__(self) -> str:
        """Return it as a line."""
        decided = [one.decided_ms for one in self.let_in]
        waited = [one.waited_ms for one in self.let_in]
        memory = ", ".join(f"{name} {size / 2**20:.1f}" for name, size in self.memory.items())
        return (
            f"{len(self.crossings)} people, {len(self.let_in)} let in; from the last needed frame"
            f" to the decision {statistics.median(decided):.1f} ms"
            f" (99th percentile {percentile(decided, 0.99):.1f}),"
            f" {self.against_models:.2f} of the bare models; from the first picture to the gate"
            f" {statistics.median(waited):.0f} ms (95th {percentile(waited, 0.95):.0f});"
            f" MiB: {memory}"
        )


def run(minutes: float, mode: str = "local") -> list[str]:
    """Run, print each quarter, and return what did not hold."""
    with open_door(mode) as traffic:
        quarters = []
        crossings = traffic.crossings()
        for _ in range(QUARTERS):
            quarters.append(_quarter(traffic, crossings, 60 * minutes / QUARTERS))
            print(quarters[-1], flush=True)
        return [
            *_grown(quarters),
            *_wrong([one for quarter in quarters for one in quarter.crossings]),
            *_incomplete(traffic, quarters),
        ]


def _quarter(traffic: Traffic, crossings: Iterator[Crossing], seconds: float) -> Quarter:
    end = time.monotonic() + seconds
    seen, memory = [], []
    while time.monotonic() < end:
        seen.append(next(crossings))
        memory.append(traffic.memory())
    names = memory[0]
    return Quarter(
        seen, {name: int(statistics.median(one[name] for one in memory)) for name in names}
    )


def _grown(quarters: Sequence[Quarter]) -> Iterator[str]:
    first, second, last = quarters[0], quarters[1], quarters[-1]
    for name, size in last.memory.items():
        growth = size - second.memory[name]
        if growth > MOST_GROWTH:
            yield f"{name} grew by {growth / 2**20:.1f} MiB"
    slower = last.against_models / first.against_models
    if slower > MOST_SLOWER and min(len(first.let_in), len(last.let_in)) >= ENOUGH:
        yield f"decisions took {slower:.2f} times as long as at first, measured in bare models"


def _wrong(crossings: Sequence[Crossing]) -> Iterator[str]:
    for one in crossings:
        if one.granted != (one.person in RESIDENTS):
            yield f"{one.person} was {'let in' if one.granted else 'kept out'} ({one.reason})"


def _incomplete(traffic: Traffic, quarters: Sequence[Quarter]) -> Iterator[str]:
    """Hold the server's log against what the door decided."""
    expected = {
        one.entry: one.person for quarter in quarters for one in quarter.crossings if one.entry
    }
    arrived: list[Any] = []
    with traffic.estate.staff() as staff:

        def all_there() -> bool:
            arrived[:] = _entries(staff)
            return len(arrived) >= len(expected)

        wait_for("the entries at the server", all_there)
    times: dict[str, int] = {}
    for row in arrived:
        times[row["entry"]] = times.get(row["entry"], 0) + 1
        if row["granted"] and row["name"] != expected.get(row["entry"]):
            yield f"{expected.get(row['entry'])} was let in as {row['name']}"
    for entry in expected.keys() | times.keys():
        if entry not in times:
            yield f"entry {entry} was lost"
        elif entry not in expected:
            yield f"entry {entry} is of nobody who came"
        elif times[entry] > 1:
            yield f"entry {entry} was counted {times[entry]} times"
    print(f"{len(expected)} entries made, {len(arrived)} arrived", flush=True)


def _entries(staff: Any) -> Iterator[Any]:
    cursor = 0
    while True:
        page = staff.call("GET", f"entries?after={cursor}&limit=1000")
        if not page["entries"]:
            return
        yield from page["entries"]
        cursor = page["cursor"]


if __name__ == "__main__":
    complaints = run(float(sys.argv[1]), *sys.argv[2:])
    for complaint in complaints:
        print(complaint)
    sys.exit(bool(complaints))
