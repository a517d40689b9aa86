"""A million entries, most of them due: how long forgetting them takes, and who waits meanwhile.

`python -m benchmarks.forgetting [COUNT]` fills a year on SQLite and, as `entry_log` does, on
PostgreSQL, keeps a month of it, and sweeps until nothing is due. Beside it a thread writes an audit
row every 50 ms, as a desk or a door would; printed is how long each of its transactions took,
before and meanwhile. Between two sweeps there is no pause here; a running server makes one of 15 s.
"""

import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from benchmarks.entry_log import ENTRIES, _filled
from community_server.audit.log import audit
from community_server.database import now
from community_server.entries.tables import Entry
from community_server.estate import Estate
from community_server.retention.running import Retention
from community_server.retention.schedule import Kind
from community_server.retention.service import change_schedule
from tests.support.databases import postgresql_database

EVERY_S: Final = 0.05
BEFORE_S: Final = 20.0


@dataclass
class Writer:
    """Writes a row again and again, and notes how long each took, in milliseconds."""

    estate: Estate
    took: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Write until told to end."""
        while not self.ended.wait(EVERY_S):
            began = time.monotonic()
            with self.estate.changer.change() as change:
                audit(change.session, "f" * 32, "look", "0" * 32)
            self.took.append((time.monotonic() - began) * 1000)

    def say(self) -> str:
        """Say how long it took since the last time this was asked."""
        took, self.took = sorted(self.took), []
        late = took[int(len(took) * 0.99)]
        return f"median {statistics.median(took):.0f}, 99% {late:.0f}, longest {took[-1]:.0f} ms"


def run(count: int) -> None:
    """Measure on both databases."""
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", Path(folder), "", count)
    with tempfile.TemporaryDirectory() as folder, postgresql_database() as url:
        _measure("PostgreSQL", Path(folder), url, count)


def _measure(name: str, folder: Path, database: str, count: int) -> None:
    with _filled(folder, database, count) as (estate, _):
        writer = Writer(estate)
        thread = threading.Thread(target=writer.run)
        thread.start()
        time.sleep(BEFORE_S)
        print(f"{name}, a writer alone: {writer.say()}", flush=True)
        change_schedule(estate, "f" * 32, {Kind.ENTRIES: 30})
        retention, began, sweeps = Retention(estate), time.monotonic(), 0
        due, before = _kept(estate, now() - 30 * 24 * 3600)
        while _kept(estate, now() - 30 * 24 * 3600)[0]:
            retention.sweep(now())
            sweeps += 1
        took = time.monotonic() - began
        print(f"{name}, meanwhile: {writer.say()}")
        print(
            f"{name}: {due:,} of {before:,} forgotten in {took:.0f} s, {sweeps} sweeps", flush=True
        )
        writer.ended.set()
        thread.join()


def _kept(estate: Estate, since: int) -> tuple[int, int]:
    """Return how many entries are older than a Unix second, and how many there are."""
    with estate.reading() as session:
        every = select(func.count()).select_from(Entry)
        old = session.scalars(every.where(Entry.at < since * 1000)).one()
        return old, session.scalars(every).one()


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
