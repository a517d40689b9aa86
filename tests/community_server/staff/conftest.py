"""Each test begins with nobody slowed down, whatever was guessed before.

What these tests are about is the same on both databases; `audit` has its tests on both.
"""

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from community_server.estate import Estate
from community_server.staff.tables import FailedAttempts
from tests.community_server.bench import Bench


@pytest.fixture(scope="module")
def database() -> str:
    """SQLite in the data folder."""
    return ""


@pytest.fixture
def bench(estate: Estate) -> Bench:
    with Session(estate.engine) as session, session.begin():
        session.execute(delete(FailedAttempts))
    return Bench(estate)
