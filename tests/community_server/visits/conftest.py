"""What the tests of visits share."""

from collections.abc import Iterator

import pytest

from tests.community_server.bench import Bench
from tests.community_server.in_process import InProcess
from tests.community_server.visits.bench import VisitBench


@pytest.fixture
def here(bench: Bench) -> Iterator[VisitBench]:
    here = VisitBench(bench)
    yield here
    here.clear()


@pytest.fixture
def desk(here: VisitBench) -> Iterator[InProcess]:
    with InProcess(here.bench.estate) as desk:
        yield desk
