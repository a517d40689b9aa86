"""Parts that most of the door's tests need."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, event

from door_terminal.clock import ClockRecord, EffectiveClock, Machine
from door_terminal.database import open_door_database
from door_terminal.device_keys import DeviceKey
from face_engine.errors import ModelsMissing
from face_engine.models import FacePack, load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.sample_people import SamplePerson, sample_people
from tests.door_terminal.estate import Estate, running_estate
from tests.door_terminal.processes import pair


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_door_database(f"sqlite:///{tmp_path / 'door.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def key(tmp_path: Path) -> DeviceKey:
    return DeviceKey.open(tmp_path)


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """A server as a door sees it."""
    with running_estate(tmp_path / "server") as estate:
        yield estate


@pytest.fixture
def data(estate: Estate, tmp_path: Path) -> Path:
    """The folder of a door that is paired with it."""
    data = tmp_path / "door"
    pair(estate, data)
    return data


@pytest.fixture
def feed() -> Iterator[CameraFeed]:
    with CameraFeed() as feed:
        yield feed


def make_read_only(engine: Engine) -> None:
    """Let every write fail from now on, as on a disk that went read-only."""

    def forbid_writes(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    event.listen(engine, "begin", forbid_writes)


class Time:
    """A machine whose time the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def machine(self) -> Machine:
        return Machine("boot", lambda: self.now, lambda: 0.0)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def clock(time: Time) -> EffectiveClock:
    clock = EffectiveClock(ClockRecord(), time.machine(), longest_lease_s=lambda: 30 * 86400)
    clock.hear(1_795_000_000)
    return clock


@pytest.fixture(scope="session")
def pack() -> FacePack:
    try:
        return load_pack()
    except ModelsMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def people(pack: FacePack) -> dict[str, SamplePerson]:
    return {person.name: person for person in sample_people(pack)}


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20261123)
