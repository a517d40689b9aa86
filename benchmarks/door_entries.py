"""What an entry costs a door: time to make it durable, bytes to the flash, room on the disk.

Against a log that is empty, one that holds its whole capacity, which no server has taken.
"""

# ruff: noqa: SLF001 - what is measured keeps its parts to itself

import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from sqlalchemy.orm import Session

from access_rules.decision import DecisionReason
from access_rules.people import Category, Credential, Direction, Person
from benchmarks.figures import Figure
from door_terminal.clock import ClockRecord, EffectiveClock, Machine
from door_terminal.database import open_door_database
from door_terminal.entries import CAPACITY, Attempt, EntryLog
from door_terminal.reserve import Reserve
from tier_link.store import LinkStore

ROUNDS: Final = 300
_AT_ONCE: Final = 1000
_SERVER: Final = "server"
_ATTEMPT: Final = Attempt(
    granted=True,
    reason=DecisionReason.WITHIN_RULES,
    credential=Credential.FACE,
    person=Person("a" * 32, Category.RESIDENT),
    direction=Direction.IN,
    matched="local",
    took_ms=41.7,
    frames=2,
)


def run() -> list[Figure]:
    """Measure and return the figures."""
    with _log() as empty, _log() as full:
        _fill(full[0])
        pairs = [(_one(full[0]), _one(empty[0])) for _ in range(ROUNDS)]
        ours, reference = (list(one) for one in zip(*pairs, strict=True))
        written = _bytes_written(full[0])
        size = sum(file.stat().st_size for file in full[1].glob("door.sqlite*"))
        begun = time.perf_counter()
        unsent = full[0].unsent()
        counted = time.perf_counter() - begun
        pruned = _make_room(full[0])
    note = f"{unsent} entries that no server has taken"
    return [
        Figure(
            "one entry made durable",
            statistics.median(ours),
            "ms",
            ROUNDS,
            reference="in an empty log",
            reference_median=statistics.median(reference),
            ratio=statistics.median(a / b for a, b in pairs),
            note=note,
        ),
        Figure("written to the disk for one entry", written / 1024, "KiB", ROUNDS, note=note),
        Figure("room for one entry", size / unsent, "bytes", 1, note=f"{size / 2**20:.0f} MiB"),
        Figure("counting what is unsent", counted * 1000, "ms", 1, note=note),
        Figure("deleting 500 acknowledged ones", pruned * 1000, "ms", 1, note=note),
    ]


@contextmanager
def _log() -> Iterator[tuple[EntryLog, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = open_door_database(f"sqlite:///{folder / 'door.sqlite'}")
        clock = EffectiveClock(ClockRecord(), Machine.here(), longest_lease_s=lambda: 86400)
        clock.hear(int(time.time()))
        reserve = Reserve(folder / "reserve", slots=1)
        store = LinkStore(engine, keep_acknowledged=timedelta(days=7))
        yield EntryLog(engine, store, _SERVER, clock, reserve), folder
        engine.dispose()


def _fill(log: EntryLog) -> None:
    """Fill the log many entries at a time: one by one, the disk would take minutes."""
    first = log.record(_ATTEMPT)
    for start in range(2, CAPACITY + 1, _AT_ONCE):
        with Session(log._engine) as session, session.begin():
            for number in range(start, min(start + _AT_ONCE, CAPACITY + 1)):
                entry = replace(first, entry=secrets.token_hex(16), door_sequence=number)
                log._insert(session, entry)
    log._next = CAPACITY + 1


def _one(log: EntryLog) -> float:
    begun = time.perf_counter()
    log.record(_ATTEMPT)
    return (time.perf_counter() - begun) * 1000


def _bytes_written(log: EntryLog) -> float:
    before = _written()
    for _ in range(ROUNDS):
        log.record(_ATTEMPT)
    return (_written() - before) / ROUNDS


def _written() -> int:
    """Bytes that this process has had written to disks (Linux)."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def _make_room(log: EntryLog) -> float:
    store = log._store
    store.acknowledge(_SERVER, store.epoch, 500)
    begun = time.perf_counter()
    log.make_room(CAPACITY - 500)
    return time.perf_counter() - begun
