"""What a server's process and its PostgreSQL backends cost, seen from outside."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

import psutil
from sqlalchemy import create_engine, make_url, text

SAMPLED_EVERY_S: Final = 0.5
"""A backend that ends takes its account with it: what it did after the last look is not seen."""


class Processes:
    """CPU time of a process and of the backends that serve its database; a context manager.

    Args:
        pid: the server's process.
        database: address of its PostgreSQL database; empty for SQLite, which costs the process.
    """

    def __init__(self, pid: int, database: str = "") -> None:
        self._process = psutil.Process(pid)
        self._url = make_url(database) if database else None
        self._engine = create_engine(self._url) if self._url else None
        self._backends: dict[int, float] = {}
        self._first: dict[int, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._engine is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._engine is not None:
            self._thread.join()
            self._engine.dispose()

    @contextmanager
    def told(self, what: str, count: int, unit: str) -> Iterator[None]:
        """Print what the time inside cost: the server, the database, and this process."""
        before, began = self._now(), time.monotonic()
        yield
        passed = time.monotonic() - began
        server, database, own = (b - a for a, b in zip(before, self._now(), strict=True))
        print(
            f"  {what}: {passed:.1f} s; CPU of the server {_each(server, count)} a {unit}"
            + (f", of PostgreSQL {_each(database, count)}" if self._engine else "")
            + f" ({100 * (server + database) / passed:.0f}% of a core); of the doors' side"
            f" {_each(own, count)}",
            flush=True,
        )

    def memory_mib(self) -> float:
        """Return the server's resident memory."""
        return float(self._process.memory_info().rss) / 2**20

    def _now(self) -> tuple[float, float, float]:
        self._look()
        times = self._process.cpu_times()
        spent = sum(last - self._first[pid] for pid, last in self._backends.items())
        return float(times.user + times.system), spent, time.process_time()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLED_EVERY_S):
            self._look()

    def _look(self) -> None:
        if self._engine is None or self._url is None:
            return
        with self._engine.connect() as connection:
            pids = connection.scalars(
                text(
                    "SELECT pid FROM pg_stat_activity"
                    " WHERE datname = :name AND pid <> pg_backend_pid()"
                ),
                {"name": self._url.database},
            ).all()
        for pid in pids:
            try:
                times = psutil.Process(pid).cpu_times()
            except psutil.NoSuchProcess:
                continue
            spent = float(times.user + times.system)
            self._first.setdefault(pid, spent)
            self._backends[pid] = spent


def _each(seconds: float, count: int) -> str:
    each = 1000 * seconds / count
    return f"{each:.1f} ms" if each < 1000 else f"{each / 1000:.2f} s"
