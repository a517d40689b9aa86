"""Any tier may die at any moment: nothing acknowledged is lost, nothing is counted twice."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from gatehouse.demo import submit_when_known
from gatehouse.enrollment_client import EnrollmentClient, EnrollmentFailed
from gatehouse.local_estate import TierProcess, wait_for
from gatehouse.staff_client import StaffCallFailed
from tests.faults.conftest import Household
from tests.faults.evidence import (
    enter_pin,
    entries_at_the_door,
    entries_at_the_server,
    openings,
)

pytestmark = pytest.mark.long

SHORT_ROUNDS = 3
SOAK_ROUNDS = 200
SEED = 20261123

_DOWN = (httpx.TransportError, StaffCallFailed, EnrollmentFailed, TimeoutError, OSError)


@dataclass
class Workload:
    """Goes on enrolling and entering PINs; remembers what it was told had happened."""

    household: Household
    stop: threading.Event = field(default_factory=threading.Event)
    entries: list[str] = field(default_factory=list)
    granted: int = 0
    enrolled: list[str] = field(default_factory=list)

    def run(self, work: Callable[[], None]) -> threading.Thread:
        """Repeat one kind of work in a thread; a dead tier's refusals are part of the test."""

        def repeat() -> None:
            while not self.stop.is_set():
                try:
                    work()
                except _DOWN:
                    self.stop.wait(0.2)

        thread = threading.Thread(target=repeat)
        thread.start()
        return thread

    def enter_pin(self) -> None:
        """One PIN at the door; what it answered is what it recorded."""
        outcome = enter_pin(self.household)
        self.entries.append(outcome["entry"])
        self.granted += bool(outcome["granted"])

    def enroll(self) -> None:
        """One resident, up to the community's own word that the photos have come."""
        name = f"Resident {time.monotonic_ns()}"
        with self.household.estate.staff() as staff, httpx.Client(trust_env=False) as http:
            invitation = {"kind": "resident", "name": name, "unit": name[-6:]}
            link = staff.call("POST", "invitations", invitation)["link"]
            client = EnrollmentClient(http)
            submission = submit_when_known(client, link, self.household.resident)
            if next(client.replies(submission, seconds=15)).outcome == "received":
                self.enrolled.append(name)


def _restart(household: Household, tier: TierProcess) -> None:
    estate = household.estate
    tier.kill()
    if tier is estate.cloud:
        estate.start_cloud()
    elif tier is estate.server:
        estate.start_server()
    else:
        tier.start()
        wait_for("the door's page", lambda: _door_answers(household))


def _door_answers(household: Household) -> bool:
    port = household.estate.door_ports[household.door]
    try:
        return httpx.get(f"http://127.0.0.1:{port}/state", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _survive(household: Household, rounds: int) -> None:
    chance = random.Random(SEED)
    estate = household.estate
    workload = Workload(household)
    threads = [workload.run(workload.enter_pin), workload.run(workload.enroll)]
    try:
        for _ in range(rounds):
            time.sleep(chance.uniform(0.2, 3.0))  # the moment is the fault, not a wait
            _restart(
                household, chance.choice([estate.cloud, estate.server, *estate.doors.values()])
            )
    finally:
        workload.stop.set()
        for thread in threads:
            thread.join()
    made = entries_at_the_door(household)
    arrived = entries_at_the_server(household, len(made))
    assert len(set(arrived)) == len(arrived), "an entry was counted twice"
    assert sorted(arrived) == sorted(made)
    assert set(workload.entries) <= set(arrived), "an acknowledged entry was lost"
    with estate.staff() as staff:
        waiting = [row["name"] for row in staff.call("GET", "approvals")]
    for name in workload.enrolled:
        assert waiting.count(name) == 1, f"{name} was answered and stands there not exactly once"
    assert len(waiting) == len(set(waiting)), "an enrollment was counted twice"
    # A kill may fall between decision and relay, or between relay and answer: never more
    # openings than recorded grants, and never fewer than the answers that said "granted".
    assert workload.granted <= openings(household) <= len(made)
    print(f"{rounds} kills: {len(made)} entries, {len(workload.enrolled)} enrollments acknowledged")


def test_three_kills_lose_and_double_nothing(household: Household) -> None:
    _survive(household, SHORT_ROUNDS)


@pytest.mark.soak
def test_two_hundred_kills_lose_and_double_nothing(household: Household) -> None:
    _survive(household, SOAK_ROUNDS)
