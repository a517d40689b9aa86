"""One estate with many people and doors: what each thing costs its server, and where that ends.

`python -m benchmarks.large_estate [--people N] [--doors N …] [--database postgresql]` fills a
store, starts a real server on it and connects simulated doors (`benchmarks.simulated_doors`): a
tenth are gates that everybody may use, at the others some five hundred neighbours each. Then it
measures, for each number of doors: the start, the links, an idle minute, changes of single people,
remote matches, and entries at a rate that doubles until the server falls behind. CPU time is the
kernel's account of the server's process and, on PostgreSQL, of its backends; the simulated doors
run in this process, whose own CPU time is told apart.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from benchmarks.crowd import fill
from benchmarks.processes import Processes
from benchmarks.simulated_doors import DoorCrowd, Shape, SimulatedDoor
from community_server.doors.hub import server_identity
from community_server.doors.service import add_door
from community_server.doors.tables import Door, RosterMember
from community_server.estate import open_estate
from community_server.people.tables import Person, PersonDoor
from community_server.settings import Settings
from community_server.setup.service import set_up
from face_engine.alignment import align
from face_engine.models import load_pack
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import sample_people
from gatehouse.scenes import walk_up
from gatehouse.staff_client import StaffClient
from tests.community_server.bench import PASSWORD, switch_faces_on
from tests.support.databases import postgresql_database
from tier_link.errors import LinkDown, RequestFailed
from tier_link.estate_messages import EntryRecorded, MatchRequest

PEOPLE: Final = 30_000
DOORS: Final = (10, 50, 100, 200, 400)
NEIGHBOURS: Final = 500
"""People of one building."""
IDLE_S: Final = 60.0
CHANGES: Final = 6
CHANGE_S: Final = 11.0
"""Behind each change: longer than a round of news, in which every door is told the hash."""
FIRST_RATE: Final = 25
"""Entries a second by all doors together; doubled while the server keeps up."""
RUSH_S: Final = 20.0
KEPT_UP_S: Final = 2.0
"""An entry that waits longer than this, at the 95th percentile, says that the server is behind."""
MATCHES: Final = 200
ASKING: Final = 16
MATCH_DEADLINE_S: Final = 10.0
INSERTED_AT_ONCE: Final = 20_000
USERNAME: Final = "desk"


@dataclass(frozen=True)
class Prepared:
    """A filled store, and what its doors need to know."""

    server: tuple[str, Ed25519PublicKey]
    doors: list[tuple[SimulatedDoor, Ed25519PrivateKey]]
    people: list[str]


def prepare(settings: Settings, people: int, doors: int) -> Prepared:
    """Set an estate up, and put people and paired doors into its store as if they were there."""
    estate = open_estate(settings)
    keys = [Ed25519PrivateKey.generate() for _ in range(doors)]
    with estate.changer.change() as change:
        set_up(change, name="Large Court", username=USERNAME, password=PASSWORD)
        ids = sorted(add_door(change.session, f"Door {number}", "in") for number in range(doors))
        for door, key in zip(ids, keys, strict=True):
            row = change.session.get_one(Door, door)
            estate.configurer.welcome(change, row, key.public_key().public_bytes_raw())
    switch_faces_on(estate)
    with Session(estate.engine) as session, session.begin():
        for _ in range(people // 1000):
            fill(session, estate.safe, 1000, estate.pack.template_space)
        everybody: list[str] = list(session.scalars(select(Person.id)))
        where = _places(ids, everybody)
        rows = [{"door_id": door, "person_id": person} for door in ids for person in where[door]]
        for start in range(0, len(rows), INSERTED_AT_ONCE):
            part = rows[start : start + INSERTED_AT_ONCE]
            session.execute(insert(PersonDoor), part)
            session.execute(insert(RosterMember), part)
        session.execute(update(Door).values(roster_version=Door.roster_version + 1))
        versions = dict(session.execute(select(Door.id, Door.roster_version)).all())
    identity = server_identity(estate.secrets.link_key)
    estate.close()
    again = open_estate(settings)  # opened again, it knows everybody
    shapes: dict[tuple[str, ...], Shape] = {}
    crowd = []
    for door, key in zip(ids, keys, strict=True):
        held = tuple(where[door])
        shape = shapes.setdefault(held, Shape(again.book.pick(held)))
        crowd.append((SimulatedDoor(door, shape, versions[door]), key))
    again.close()
    return Prepared((identity.node, identity.private_key.public_key()), crowd, everybody)


def _places(doors: list[str], people: list[str]) -> dict[str, list[str]]:
    """Who may use which door."""
    gates = max(1, len(doors) // 10)
    buildings = [people[start : start + NEIGHBOURS] for start in range(0, len(people), NEIGHBOURS)]
    return {
        door: people if number < gates else buildings[(number - gates) % len(buildings)]
        for number, door in enumerate(doors)
    }


class Run:
    """One server with so many doors; prints what it finds."""

    def __init__(self, estate: LocalEstate, prepared: Prepared) -> None:
        self.estate = estate
        self.people = prepared.people
        authority = (estate.folder / "server" / "ca.pem").read_text()
        self.crowd = DoorCrowd(estate.server_address, authority, prepared.server, prepared.doors)
        self.desk = StaffClient.connect(estate.server_address, authority_pem=authority)
        self.desk.sign_in(USERNAME, PASSWORD)
        process = estate.server.process
        if process is None:
            raise RuntimeError("the server is not running")
        self.costs = Processes(process.pid, estate.server_database)

    def links(self) -> None:
        """Wait until every door is connected and in step."""
        with self.costs.told("links", len(self.crowd.doors), "door"):
            wait_for("all links", lambda: self.crowd.connected == len(self.crowd.doors), 300)
            wait_for("all doors in step", self._in_step, 300)
        print(f"    memory of the server: {self.costs.memory_mib():.0f} MiB")

    def idle(self) -> None:
        """See what a minute costs in which nothing happens."""
        with self.costs.told("an idle minute", len(self.crowd.doors), "door"):
            time.sleep(IDLE_S)

    def changes(self) -> None:
        """Suspend people one after another; each is known to a tenth of the doors and more."""
        spans = []
        with self.costs.told("changes of one person", CHANGES, "change"):
            for person in self.people[:CHANGES]:
                began = time.monotonic()
                told = self._versions()
                self.desk.call("PATCH", f"people/{person}", {"suspended": True})
                wait_for("doors to hear", lambda told=told: self._all_heard(told))  # type: ignore[misc]
                spans.append(time.monotonic() - began)
                time.sleep(CHANGE_S)
        wait_for("all doors in step", self._in_step, 120)
        print(
            f"    from the desk to the last of its doors: median {statistics.median(spans):.2f} s,"
            f" longest {max(spans):.2f} s"
        )

    def rush(self) -> None:
        """Let people come in at a rate that doubles until the server is behind."""
        rate = FIRST_RATE
        while self._at_rate(rate):
            rate *= 2

    def _at_rate(self, rate: int) -> bool:
        doors, count = self.crowd.doors, int(rate * RUSH_S)
        for door in doors:
            door.journal.taken.clear()
        with self.costs.told(f"entries at {rate} a second", count, "entry"):
            began = time.monotonic()
            for number in range(count):
                door = doors[number % len(doors)]
                door.send(_entry(secrets.choice(self.people), number))
                time.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))
            wait_for("all entries taken", lambda: not any(d.journal.waiting for d in doors), 300)
        waited = sorted(span for door in doors for span in door.journal.taken)
        late = waited[int(0.95 * len(waited))]
        print(
            f"    {len(waited)} of {count} taken; to the acknowledgement: median"
            f" {1000 * statistics.median(waited):.0f} ms, 95th {1000 * late:.0f} ms"
        )
        return late < KEPT_UP_S

    def matches(self, question: MatchRequest) -> None:
        """Ask for matches from several doors at once."""
        doors = self.crowd.doors[:ASKING]
        spans, failed = [], 0

        def ask(number: int) -> float | None:
            began = time.monotonic()
            try:
                doors[number % len(doors)].ask(question, MATCH_DEADLINE_S)
            except (LinkDown, RequestFailed):
                return None
            return time.monotonic() - began

        with (
            self.costs.told(f"matches by {len(doors)} doors at once", MATCHES, "match"),
            ThreadPoolExecutor(len(doors)) as threads,
        ):
            for span in threads.map(ask, range(MATCHES)):
                failed += span is None
                spans += [] if span is None else [span]
        late = sorted(spans)[int(0.95 * len(spans))]
        print(
            f"    {failed} refused; median {1000 * statistics.median(spans):.0f} ms,"
            f" 95th {1000 * late:.0f} ms"
        )

    def _versions(self) -> dict[str, int]:
        return {door.door: door.version for door in self.crowd.doors}

    def _all_heard(self, before: dict[str, int]) -> bool:
        """Say whether the gates, which know everybody, have heard of a change."""
        gates = self.crowd.doors[: max(1, len(self.crowd.doors) // 10)]
        return all(door.version > before[door.door] for door in gates)

    def _in_step(self) -> bool:
        rows = self.desk.call("GET", "doors")
        return all(row["connected"] and row["in_step"] for row in rows)


def _entry(person: str, number: int) -> EntryRecorded:
    return EntryRecorded(
        entry=secrets.token_hex(16),
        door_sequence=number + 1,
        at=int(time.time() * 1000),
        time_known=True,
        direction="in",
        person=person,
        category="resident",
        credential="face",
        granted=True,
        reason="granted",
        matched="local",
        took_ms=180,
        frames=2,
    )


def _question() -> MatchRequest:
    pack = load_pack()
    (person,) = (one for one in sample_people(pack) if one.name == "Chen")
    frames = list(walk_up(person.cutout, np.random.default_rng(1)))[-6:-4]
    crops = [align(one, pack.detector.detect(one)[0].landmarks) for one in frames]
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95]
    return MatchRequest(
        pack.template_space,
        tuple(cv2.imencode(".jpg", one, quality)[1].tobytes() for one in crops),
    )


def measure(folder: Path, database: str, people: int, doors: int) -> None:
    """Measure one estate from its start on."""
    name = "PostgreSQL" if database else "SQLite"
    print(f"{name}, {people:,} people, {doors} doors", flush=True)
    prepared = prepare(Settings(data=folder / "server", database=database), people, doors)
    with LocalEstate(folder, server_database=database) as estate:
        began = time.monotonic()
        estate.start_server()
        print(f"  from the start to the first answer: {time.monotonic() - began:.1f} s")
        run = Run(estate, prepared)
        with run.desk, run.costs, run.crowd:
            run.links()
            run.idle()
            run.changes()
            run.matches(_question())
            run.rush()
        surprises = sum(door.surprises for door in run.crowd.doors)
        print(f"  records that a door in step is not sent: {surprises}", flush=True)


def _database(name: str) -> AbstractContextManager[str]:
    return postgresql_database() if name == "postgresql" else nullcontext("")


def main(arguments: Sequence[str]) -> None:
    """Measure for each number of doors, each with a store of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_estate")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--doors", type=int, nargs="+", default=DOORS)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args(arguments)
    for doors in given.doors:
        with tempfile.TemporaryDirectory() as folder, _database(given.database) as database:
            measure(Path(folder), database, given.people, doors)


if __name__ == "__main__":
    main(sys.argv[1:])
