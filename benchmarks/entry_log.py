"""A million entries over a year: every list, filter and chart through the real application.

`python -m benchmarks.entry_log [COUNT]` fills SQLite and, where `GATEHOUSE_TEST_POSTGRESQL` names a
server or one answers at the usual place, PostgreSQL; asks each page again and again, with other
doors, days and people each time; and prints medians, 95th percentiles and this process's CPU time,
in which PostgreSQL's is not. Nothing is beside the server: no link, no other desk. Ends with status
1 where a 95th percentile is above `AIM_MS`.
"""

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import psutil
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from benchmarks.crowd import fill
from benchmarks.year import DAY, Year, fill_year
from community_server.entries.export import COLUMNS, Export
from community_server.entries.filters import Filters
from community_server.entries.tables import Entry
from community_server.estate import Estate, open_estate
from community_server.people.tables import Person
from community_server.settings import Settings
from community_server.spreadsheets import csv_stream, xlsx_stream
from tests.community_server.bench import prepare
from tests.community_server.in_process import InProcess
from tests.support.databases import postgresql_database

ENTRIES: Final = 1_000_000
PEOPLE: Final = 3000
ROUNDS: Final = 40
WARM_UP: Final = 2
AIM_MS: Final = 300.0

_SIZES: Final = {
    "sqlite": "SELECT name, sum(pgsize) FROM dbstat WHERE name LIKE '%entr%' GROUP BY name",
    "postgresql": "SELECT relname, pg_relation_size(oid) FROM pg_class"
    " WHERE relname LIKE '%entr%' AND relkind IN ('r', 'i')",
}

Address = Callable[[Random], str]


def run(count: int) -> list[str]:
    """Measure on both databases; return what is slower than the aim."""
    slow: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        slow += _measured(Path(folder), "", count)
    with tempfile.TemporaryDirectory() as folder, postgresql_database() as url:
        slow += _measured(Path(folder), url, count)
    return slow


def _measured(folder: Path, database: str, count: int) -> list[str]:
    name = "PostgreSQL" if database else "SQLite"
    with _filled(folder, database, count) as (estate, year):
        print(f"{name}: {_sizes(estate, count)}", flush=True)
        with estate.reading() as session:
            people = list(session.scalars(select(Person.id).order_by(Person.id)))
        with InProcess(estate) as desk:
            gc.collect()
            gc.freeze()  # as the server does once it serves
            slow = [
                f"{name}, {what}: {late:.0f} ms"
                for what, address in _addresses(desk, year, people)
                if (late := _timed(desk, what, address)) > AIM_MS
            ]
        if not database:  # the same on either
            _export(estate)
    return slow


@contextmanager
def _filled(folder: Path, database: str, count: int) -> Iterator[tuple[Estate, Year]]:
    estate = open_estate(Settings(data=folder / "server", database=database))
    prepare(estate)
    with Session(estate.engine) as session, session.begin():
        fill(session, estate.safe, PEOPLE, estate.pack.template_space)
    with estate.reading() as session:
        people = list(session.scalars(select(Person.id).order_by(Person.unit)))
    began = time.monotonic()
    year = fill_year(estate.engine, people, count)
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    estate.close()
    # Opened again, it knows everybody by name.
    again = open_estate(Settings(data=folder / "server", database=database))
    try:
        yield again, year
    finally:
        again.close()


def _sizes(estate: Estate, count: int) -> str:
    with estate.reading() as session:
        rows = session.execute(text(_SIZES[estate.engine.dialect.name])).all()
        kept = session.scalar(select(func.count()).select_from(Entry))
    sizes = ", ".join(f"{name} {size / count:.0f}" for name, size in sorted(rows))
    return f"{kept:,} entries; bytes an entry: {sizes}"


def _addresses(desk: InProcess, year: Year, people: list[str]) -> Iterator[tuple[str, Address]]:
    """Yield every list, filter and chart, as an address with something of chance in it."""

    def day(random: Random) -> int:
        return random.randrange(year.since, year.until - DAY)

    def door(random: Random) -> str:
        return random.choice(year.doors)

    def looked(**whom: str) -> str:
        body = {"reason": "fault", **whom}
        answer = desk.send("entries/looks", body).raise_for_status()
        return str(answer.json()["look"])

    def of_person(random: Random) -> str:
        person = random.choice(people)
        return f"/entries?person={person}&look={looked(person=person)}"

    yield "the newest", lambda _: "/entries"
    yield "live, nothing new", lambda _: f"/entries/live?after={10**9}"
    yield "older, from somewhere", lambda r: f"/entries?older={day(r) * 1000}.0"
    yield "a day", lambda r: f"/entries?since={(d := day(r))}&until={d + DAY}"
    yield "a door", lambda r: f"/entries?door={door(r)}"
    yield (
        "a door, a day",
        lambda r: f"/entries?door={door(r)}&since={(d := day(r))}&until={d + DAY}",
    )
    yield "refused", lambda _: "/entries?result=refused"
    yield "refused, from somewhere", lambda r: f"/entries?result=refused&older={day(r) * 1000}.0"
    yield "pictures suspected", lambda _: "/entries?reason=spoof-suspected"
    yield "pictures at a door", lambda r: f"/entries?reason=spoof-suspected&door={door(r)}"
    yield "service workers by PIN", lambda _: "/entries?category=service&credential=pin"
    yield "of a kind that never was", lambda _: "/entries?credential=none&category=resident"
    yield "unknown people", lambda r: f"/entries?category=unknown&older={day(r) * 1000}.0"
    yield "compared by the server", lambda _: "/entries?matched=remote"
    yield "remarked", lambda _: "/entries?remark=not-passed"
    yield "one person", of_person
    yield "one person, refused", lambda r: of_person(r) + "&result=refused"
    some = looked(who="Resident 1")
    yield "1,111 people by name", lambda _: f"/entries?who=Resident+1&look={some}"
    everybody = looked(who="Resident")
    yield (
        "all people by name, from somewhere",
        lambda r: f"/entries?who=Resident&look={everybody}&older={day(r) * 1000}.0",
    )
    yield (
        "1,111 people, a rare refusal",
        lambda _: f"/entries?who=Resident+1&look={some}&reason=spoof-suspected",
    )
    yield "why not, of a person", lambda r: f"/entries/why?person={r.choice(people)}"
    yield "why not, at a time", lambda r: f"/entries/why?near={year.until - r.randrange(DAY)}"
    yield "the daily reports", lambda _: "/entries/days"
    yield "a day's report", lambda r: f"/entries/days/{datetime.fromtimestamp(day(r), UTC).date()}"
    yield "analysis of 30 days", lambda _: "/entries/analysis?days=30"
    yield "analysis of a year", lambda _: "/entries/analysis?days=365"
    yield "analysis of a door's year", lambda r: f"/entries/analysis?days=365&door={door(r)}"
    yield "the API's feed", lambda r: f"/api/v1/entries?after={r.randrange(1, 900_000)}"


def _export(estate: Estate) -> None:
    """Take everything out, and print how long that takes and by how much the process grows."""
    process = psutil.Process()
    for form in ("csv", "xlsx"):
        rows = Export(estate, Filters(), "en").rows()
        widths = list(COLUMNS.values())
        stream = csv_stream(rows) if form == "csv" else xlsx_stream(rows, widths)
        before, most, size, began = process.memory_info().rss, 0, 0, time.monotonic()
        for number, chunk in enumerate(stream):
            size += len(chunk)
            if number % 100 == 0:
                most = max(most, process.memory_info().rss - before)
        print(
            f"  all as {form}: {time.monotonic() - began:.0f} s, {size / 2**20:.0f} MiB,"
            f" the process grew by {most / 2**20:.0f} MiB",
            flush=True,
        )


def _timed(desk: InProcess, what: str, address: Address) -> float:
    """Ask again and again; print and return the 95th percentile in milliseconds."""
    random, spans, busy = Random(what), list[float](), list[float]()
    for number in range(WARM_UP + ROUNDS):
        wanted = address(random)
        began, worked = time.perf_counter(), time.process_time()
        answer = desk.get(wanted)
        span, work = time.perf_counter() - began, time.process_time() - worked
        answer.raise_for_status()
        if number >= WARM_UP:
            spans.append(1000 * span)
            busy.append(1000 * work)
    late = statistics.quantiles(spans, n=20)[-1]
    usual, work = statistics.median(spans), statistics.median(busy)
    print(f"  {what}: {usual:.0f} ms, 95th {late:.0f} ms; CPU {work:.0f} ms", flush=True)
    return late


if __name__ == "__main__":
    complaints = run(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
    for complaint in complaints:
        print(complaint)
    sys.exit(bool(complaints))
