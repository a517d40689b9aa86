"""Each test begins with nobody slowed down, whatever was guessed before.

What these tests are about is the same on both databases; `audit` has its tests on both.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from community_server.app import make_app
from community_server.estate import Estate, open_estate
from community_server.settings import Settings
from community_server.staff.permissions import Role
from community_server.staff.tables import FailedAttempts
from tests.community_server.bench import Bench, prepare
from tests.community_server.staff.walker import Walker


@pytest.fixture(scope="module")
def database() -> str:
    """SQLite in the data folder."""
    return ""


@pytest.fixture
def bench(estate: Estate) -> Bench:
    with Session(estate.engine) as session, session.begin():
        session.execute(delete(FailedAttempts))
    return Bench(estate)


@pytest.fixture(scope="module")
def walker(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    # Thousands of requests in a minute, from one address.
    folder = tmp_path_factory.mktemp("server")
    estate = open_estate(Settings(data=folder, models=models, requests_per_minute=1_000_000))
    prepare(estate)
    estate.live.close()  # the stream of entries ends at once
    with asyncio.Runner() as runner:
        walker = Walker(make_app(estate), estate, runner)
        for role in Role:
            walker.hire(role)
        yield walker
    estate.close()
