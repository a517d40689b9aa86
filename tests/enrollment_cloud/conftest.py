"""Databases of both kinds for the cloud's tests."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from enrollment_cloud.database import Database, open_cloud_database
from enrollment_cloud.settings import Settings
from tests.support.databases import postgresql_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with ExitStack() as stack:
        if request.param == "postgresql":
            yield stack.enter_context(postgresql_database())
        else:
            yield f"sqlite:///{tmp_path}/data/cloud.sqlite"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """An open, migrated database."""
    opened = open_cloud_database(Settings(database=database_url, data_folder=tmp_path / "data"))
    yield opened
    opened.engine.dispose()
