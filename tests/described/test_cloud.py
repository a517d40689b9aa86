"""The cloud's API answers whatever is sent as its description says, and never with a failure."""

from collections.abc import Iterator
from typing import Final

import pytest

from enrollment_cloud.app import create_app
from enrollment_cloud.settings import Settings
from tests.described.machine import Machine
from tests.limits.test_cloud import Stranger
from tests.support.databases import BOTH, postgresql_database

EXAMPLES: Final = 25
MANY: Final = 1000


@pytest.fixture(scope="module", params=BOTH)
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    if request.param == "postgresql":
        with postgresql_database() as database:
            yield from running(database, str(tmp_path_factory.mktemp("cloud")))
    else:
        yield from running("", str(tmp_path_factory.mktemp("cloud")))


def running(database: str, folder: str) -> Iterator[Machine]:
    """Somebody with an open invitation, whom no rate holds back."""
    settings = Settings.read(
        data=folder,
        database=database,
        requests_per_minute=1_000_000,
        reads_per_minute=1_000_000,
        uploads_per_minute=1_000_000,
    )
    stranger = Stranger(create_app(settings))
    known = {name: stranger.values[name] for name in ("community", "invitation", "envelope")} | {
        "suite": "hpke-p256-sha256-aes256gcm",
        "key": "w1",
    }
    yield Machine(stranger.caller, stranger.app.openapi(), known=known)
    stranger.caller.runner.close()
    stranger.cloud.database.engine.dispose()


def test_every_operation_answers_as_described(machine: Machine) -> None:
    machine.run_all(EXAMPLES)
    assert machine.answers[200] > machine.answers[500] == 0


@pytest.mark.soak
def test_every_operation_answers_many_as_described(machine: Machine) -> None:
    machine.run_all(MANY, random=True)
