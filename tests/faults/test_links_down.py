"""A local door goes on with every link down, and afterwards the log is complete."""

import numpy as np
import pytest

from gatehouse.local_estate import wait_for
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import walk_up
from tests.faults.conftest import Household
from tests.faults.evidence import (
    enter_pin,
    entries_at_the_door,
    entries_at_the_server,
    openings,
)

pytestmark = pytest.mark.long


def _walk(household: Household, person: SamplePerson, seed: int) -> None:
    before = len(entries_at_the_door(household))
    household.feed.show(walk_up(person.cutout, np.random.default_rng(seed), seconds=2.5))
    wait_for("an entry at the door", lambda: len(entries_at_the_door(household)) > before, 20)


def test_with_cloud_and_server_dead_the_door_opens_and_entries_arrive_once_afterwards(
    household: Household,
) -> None:
    estate = household.estate
    estate.cloud.kill()
    _walk(household, household.resident, 1)
    assert openings(household) == 1
    estate.server.kill()
    _walk(household, household.neighbour, 2)
    _walk(household, household.stranger, 3)
    assert enter_pin(household)["granted"]
    assert not enter_pin(household, "000000")["granted"]
    assert openings(household) == 3

    estate.start_server()
    estate.start_cloud()
    made = entries_at_the_door(household)
    assert len(made) == 5
    assert sorted(entries_at_the_server(household, len(made))) == sorted(made)
