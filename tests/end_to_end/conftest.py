"""One estate of real processes per module and database: cloud, server and, on demand, doors."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gatehouse.camera_feed import CameraFeed
from gatehouse.local_estate import LocalEstate
from tests.support.databases import postgresql_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def estate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalEstate]:
    """An estate that has been built but not started, on SQLite and then on PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("estate")
    with ExitStack() as stack:
        cloud = server = ""
        if request.param == "postgresql":
            cloud = stack.enter_context(postgresql_database())
            server = stack.enter_context(postgresql_database())
        estate = LocalEstate(folder, cloud_database=cloud, server_database=server)
        yield stack.enter_context(estate)


@pytest.fixture(scope="module")
def feed() -> Iterator[CameraFeed]:
    """The network camera before the door."""
    with CameraFeed() as camera:
        yield camera
