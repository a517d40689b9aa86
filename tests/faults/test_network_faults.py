"""Whatever befalls links, processes, disk and clocks: no entry is lost or counted twice, no
stranger is let in, no resident refused.

Cloud, server and door run in network namespaces of their own. `GATEHOUSE_TEST_FAULTS` sets how
many faults the long run has, `GATEHOUSE_TEST_SEED` which.
"""

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import numpy as np
import pytest

from gatehouse.local_estate import wait_for
from gatehouse.scenes import walk_up
from tests.faults.network.estate import WRONG_PIN, FarEstate, far_estate
from tests.faults.network.faults import Faults
from tests.faults.network.namespaces import why_not

SEED: Final = int(os.environ.get("GATEHOUSE_TEST_SEED", "20261126"))
SOAK: Final = int(os.environ.get("GATEHOUSE_TEST_FAULTS", "2000"))
BACKUP_EVERY: Final = 40
SETTLED_S: Final = 180.0
FACE_SETTLES_S: Final = 9.0  # longer than the oldest sight that a door opens for


@dataclass
class Traffic:
    """People at the door, and what they were told."""

    far: FarEstate
    chance: Random
    stop: threading.Event = field(default_factory=threading.Event)
    answered: dict[str, bool] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    let_in_wrongly: int = 0
    strangers: list[tuple[float, float]] = field(default_factory=list)
    residents: int = 0

    def run(self, work: Callable[[], None]) -> threading.Thread:
        def repeat() -> None:
            while not self.stop.is_set():
                work()

        thread = threading.Thread(target=repeat)
        thread.start()
        return thread

    def enter_pin(self) -> None:
        """Mostly the right one; never two wrong ones in a row, which would be made to wait."""
        self.stop.wait(self.chance.uniform(0.0, 0.2))
        if self._enter("") and self.chance.random() < 1 / 8:
            self._enter(WRONG_PIN)

    def _enter(self, pin: str) -> bool:
        try:
            outcome = self.far.enter_pin(pin)
        except httpx.TimeoutException:
            self.refused.append("no answer")
            return False
        except httpx.TransportError:
            return False  # nobody answers: the door is being killed, or starts
        if outcome["entry"]:
            self.answered[outcome["entry"]] = outcome["granted"]
        if pin:
            self.let_in_wrongly += outcome["granted"]
        elif not outcome["granted"]:
            self.refused.append(outcome["reason"])
        return bool(outcome["granted"])

    def walk_up(self) -> None:
        """A resident or a stranger steps before the camera and goes again."""
        is_resident = self.chance.random() < 1 / 2
        person = self.far.resident if is_resident else self.far.stranger
        random = np.random.default_rng(self.chance.randrange(2**32))
        began = time.monotonic()
        self.far.feed.show(walk_up(person.cutout, random, seconds=2.5))
        self.stop.wait(FACE_SETTLES_S)
        if is_resident:
            self.residents += 1
        else:
            self.strangers.append((began, time.monotonic()))


@dataclass
class Balance:
    """What is left when all is over; what follows `faces` is to be nothing."""

    made: int
    arrived: int
    timeless: int
    faces: int
    lost: list[str]
    doubled: list[str]
    wrong_openings: list[str]
    refused: list[str]

    @property
    def even(self) -> bool:
        return not (self.lost or self.doubled or self.wrong_openings or self.refused)

    def __str__(self) -> str:
        return (
            f"{self.made} entries made ({self.timeless} with the time unknown,"
            f" {self.faces} of faces that were let in),"
            f" {self.arrived} arrived, {len(self.lost)} lost,"
            f" {len(self.doubled)} doubled; {len(self.wrong_openings)} wrong openings,"
            f" {len(self.refused)} residents refused {dict(Counter(self.refused)) or ''}"
        )


@dataclass(frozen=True)
class Arrived:
    """An entry as the server has it."""

    entry: str
    number: int
    credential: str
    granted: bool
    reason: str
    person: str
    time_known: bool


_ARRIVED: Final = (
    "SELECT entry, door_sequence, credential, granted, reason, person_id, time_known FROM entries"
)


def _rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def _balance(far: FarEstate, traffic: Traffic) -> Balance:
    rows = [Arrived(*row) for row in _rows(far.server_database, _ARRIVED)]
    arrived = {row.entry: row for row in rows}
    at_the_door = _rows(far.disk / "door" / "door.sqlite", "SELECT entry FROM entries")
    opened = Counter(entry for entry, _ in far.relay.openings)
    made = {entry for (entry,) in at_the_door} | set(traffic.answered) | set(opened)
    numbers = Counter(row.number for row in rows)
    return Balance(
        made=len(made),
        arrived=len(arrived),
        timeless=sum(not row.time_known for row in rows),
        faces=sum(row.credential == "face" and row.granted for row in rows),
        lost=sorted(made - set(arrived)),
        doubled=[
            *(f"number {number}" for number, count in numbers.items() if count > 1),
            *(f"opening {entry}" for entry, count in opened.items() if count > 1),
        ],
        wrong_openings=list(_wrong_openings(far, traffic, arrived)),
        refused=[
            *traffic.refused,
            *(row.reason for row in rows if row.person and not row.granted),
        ],
    )


def _wrong_openings(
    far: FarEstate, traffic: Traffic, arrived: Mapping[str, Arrived]
) -> Iterator[str]:
    if traffic.let_in_wrongly:
        yield f"{traffic.let_in_wrongly} with a wrong PIN"
    for entry, at in far.relay.openings:
        row = arrived.get(entry)
        if row is None or not (row.granted and row.person):
            yield f"{entry}: {row}"
        elif row.credential == "face" and any(
            began <= at <= ended for began, ended in traffic.strangers
        ):
            yield f"{entry}: a stranger stood there"


def _settle(far: FarEstate) -> None:
    """Wait until server and door agree and the door has nothing more to say."""

    def settled() -> bool:
        state = far.state()
        return bool(state) and state["link"] and state["unsent"] == 0 and state["reserve"] == 0

    wait_for("the door to have told everything", settled, SETTLED_S)
    far.server.run(far.estate.await_health, far.estate.server, far.estate.server_address)
    far.server.run(far.estate.await_door, far.door, people=1)


def _endure(far: FarEstate, faults: Faults, count: int, pause_s: float) -> Balance:
    chance = faults.chance
    traffic = Traffic(far, Random(SEED))
    threads = [traffic.run(traffic.enter_pin), traffic.run(traffic.walk_up)]
    try:
        befalling = faults.all_kinds()
        chance.shuffle(befalling)
        for number in range(count):
            faults.befall(befalling[number] if number < len(befalling) else faults.draw())
            time.sleep(chance.uniform(0.1, pause_s))  # the moment is the fault, not a wait
            if number % BACKUP_EVERY == BACKUP_EVERY - 1:
                far.back_up()
        faults.heal()
    finally:
        traffic.stop.set()
        for thread in threads:
            thread.join()
    _settle(far)
    balance = _balance(far, traffic)
    packets = [(wire.carried, wire.lost, wire.doubled) for wire in (far.upper, far.lower)]
    print(f"\n{count} faults: {dict(faults.done)}; packets carried, lost, doubled: {packets}")
    print(
        f"{traffic.residents} walks of residents, {len(traffic.strangers)} of strangers; {balance}"
    )
    return balance


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarEstate]:
    if reason := why_not():
        pytest.skip(reason)
    with far_estate(tmp_path, SEED) as far:
        yield far


@pytest.mark.long
def test_each_kind_of_fault_loses_doubles_and_refuses_nothing(far: FarEstate) -> None:
    faults = Faults(far, Random(SEED))
    balance = _endure(far, faults, len(faults.all_kinds()), pause_s=1.5)
    assert balance.even, balance


@pytest.mark.soak
def test_thousands_of_faults_lose_double_and_refuse_nothing(far: FarEstate) -> None:
    balance = _endure(far, Faults(far, Random(SEED)), SOAK, pause_s=2.5)
    assert balance.even, balance
