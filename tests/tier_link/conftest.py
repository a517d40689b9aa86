from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.databases import postgresql_database
from tier_link.store import LinkBase, open_database


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """One tier's database, on a file and on a server."""
    if request.param == "sqlite":
        yield from _migrated(f"sqlite:///{tmp_path}/tier.sqlite")
    else:
        with postgresql_database() as url:
            yield from _migrated(url)


def _migrated(url: str) -> Iterator[Engine]:
    opened = open_database(url)
    LinkBase.metadata.create_all(opened)
    try:
        yield opened
    finally:
        opened.dispose()
