"""Databases of both kinds, and clouds that run on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from enrollment_cloud.database import Database, open_cloud_database
from enrollment_cloud.settings import Settings
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble
from tests.support.databases import BOTH, postgresql_database


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty database."""
    if kind == "postgresql":
        with postgresql_database() as address:
            yield address
    else:
        yield f"sqlite:///{folder}/data/cloud.sqlite"


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with empty_database(request.param, tmp_path) as address:
        yield address


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """An open, migrated database."""
    opened = open_cloud_database(Settings(database=database_url, data=tmp_path / "data"))
    yield opened
    opened.engine.dispose()


@contextmanager
def running_cloud(kind: str, folder: Path) -> Iterator[CloudProcess]:
    """Run a cloud on a database of its own."""
    with empty_database(kind, folder) as address:
        process = CloudProcess(folder, address)
        process.start()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module", params=BOTH)
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CloudProcess]:
    """A running cloud on each kind of database, shared by a module's tests."""
    with running_cloud(request.param, tmp_path_factory.mktemp("cloud")) as process:
        yield process


@pytest.fixture(scope="module")
def small_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """A running cloud on SQLite alone, for what no database changes."""
    with running_cloud("sqlite", tmp_path_factory.mktemp("cloud")) as process:
        yield process


@contextmanager
def linked_community(cloud: CloudProcess, folder: Path) -> Iterator[CommunityDouble]:
    """Pair a new community with the cloud, link it, and publish its profile."""
    double = CommunityDouble(folder)
    double.pair(cloud.link_address, cloud.register("Sunny Court"))
    double.connect(cloud.link_address)
    double.publish()
    double.settle()
    try:
        yield double
    finally:
        double.close()


@pytest.fixture
def community(cloud: CloudProcess, tmp_path: Path) -> Iterator[CommunityDouble]:
    """A community at `cloud`."""
    with linked_community(cloud, tmp_path) as double:
        yield double


@pytest.fixture(scope="module")
def small_community(
    small_cloud: CloudProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommunityDouble]:
    """A community at `small_cloud`, shared by a module's tests."""
    with linked_community(small_cloud, tmp_path_factory.mktemp("community")) as double:
        yield double


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client without cookies."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client
