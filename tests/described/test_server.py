"""The server's API answers whatever is sent as its description says, and never with a failure."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from community_server.app import make_app
from community_server.desk import COOKIE, CSRF_HEADER
from community_server.doors.service import add_door
from community_server.estate import open_estate
from community_server.settings import Settings
from community_server.staff.permissions import Role
from face_engine.models import default_folder
from tests.community_server.bench import Bench, prepare
from tests.community_server.staff.walker import CSRF, HOST, Walker
from tests.described.machine import Machine
from tests.limits.tables import Caller
from tests.support.databases import BOTH, postgresql_database

SKIPPED: Final[Mapping[str, str]] = {
    "POST /api/v1/cloud": "dials whatever address it is given",
    "POST /api/v1/webhooks/{webhook}/test": "sends to whatever address was given",
}
EXAMPLES: Final = 6
MANY: Final = 150


@pytest.fixture(scope="module", params=BOTH)
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    if request.param == "postgresql":
        with postgresql_database() as database:
            yield from running(database, tmp_path_factory.mktemp("server"))
    else:
        yield from running("", tmp_path_factory.mktemp("server"))


def running(database: str, folder: Path) -> Iterator[Machine]:
    """An administrator, who may most, at an estate with somebody and a door in it."""
    estate = open_estate(
        Settings(
            data=folder,
            models=default_folder(),
            database=database,
            requests_per_minute=1_000_000,
        )
    )
    prepare(estate)
    estate.live.close()  # the stream of entries ends at once
    invitation, person = Bench(estate).invite(name="Lin", unit="2-202")
    with estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    with asyncio.Runner() as runner:
        app = make_app(estate)
        walker = Walker(app, estate, runner)
        walker.hire(Role.ADMINISTRATOR)

        def headers() -> dict[str, str]:
            cookie = f"{COOKIE}={walker._sign_in(Role.ADMINISTRATOR)}"
            return {"cookie": cookie, CSRF_HEADER: CSRF, "accept-language": "en"}

        caller = Caller(app, f"https://{HOST}", runner=runner)
        known = {"person": person, "door": door, "invitation": invitation.id}
        yield Machine(caller, app.openapi(), headers, known)
    estate.close()


@pytest.mark.long
def test_every_operation_answers_as_described(machine: Machine) -> None:
    machine.run_all(EXAMPLES, skipped=SKIPPED)
    assert machine.answers[200] > machine.answers[500] == 0


@pytest.mark.soak
def test_every_operation_answers_many_as_described(machine: Machine) -> None:
    machine.run_all(MANY, skipped=SKIPPED, random=True)
