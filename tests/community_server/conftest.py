"""A real server's insides, on both databases, with the real models."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from community_server.estate import Estate, open_estate
from community_server.settings import Settings
from face_engine.models import default_folder, load_pack
from face_engine.models.fetching import fetch
from face_engine.models.registry import OPENCV_ZOO
from gatehouse.sample_people import SamplePerson, sample_people
from tests.community_server.bench import Bench, prepare
from tests.support.databases import BOTH, postgresql_database


@pytest.fixture(scope="session")
def models() -> Path:
    folder = default_folder()
    fetch(OPENCV_ZOO, folder)
    return folder


@pytest.fixture(scope="session")
def people(models: Path) -> Sequence[SamplePerson]:
    """The sample photo's people whom the enrollment gate accepts."""
    return [one for one in sample_people(load_pack(folder=models)) if one.name != "Emil"]


@pytest.fixture(scope="module", params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database's address; empty means SQLite in the data folder."""
    if request.param == "sqlite":
        yield ""
        return
    with postgresql_database() as url:
        yield url


@pytest.fixture(scope="module")
def settings(database: str, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data=tmp_path_factory.mktemp("server"), database=database, models=models)


@pytest.fixture(scope="module")
def estate(settings: Settings) -> Iterator[Estate]:
    """An estate that has been set up and knows a cloud, with nothing listening."""
    opened = open_estate(settings)
    prepare(opened)
    yield opened
    opened.close()


@pytest.fixture
def bench(estate: Estate) -> Bench:
    return Bench(estate)


@pytest.fixture
def own(database: str, models: Path, tmp_path: Path) -> Iterator[Bench]:
    """An estate of a test's own: what one test enrolls must not resemble another's."""
    empty_database(database)
    estate = open_estate(Settings(data=tmp_path / "data", database=database, models=models))
    prepare(estate)
    yield Bench(estate)
    estate.close()


def empty_database(database: str) -> None:
    """Take everything out of a PostgreSQL database; a SQLite one lies in the data folder."""
    if not database:
        return
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
