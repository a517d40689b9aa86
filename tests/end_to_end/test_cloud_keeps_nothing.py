"""After delivery the cloud holds neither a photo or name nor the sealed envelope they came in."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from face_engine.models import default_folder, load_pack
from gatehouse.demo import VISIT_SECONDS, submit_when_known
from gatehouse.enrollment_client import EnrollmentClient
from gatehouse.local_estate import LocalEstate, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.end_to_end.searching import files_with, memory_holds, needles
from tests.enrollment_cloud.traces import database_files
from tests.support.databases import postgresql_database
from tier_link.replies import Reply

CANARY = "Canary-4f8c1b7a-Kanarienvogel-九宫鸟"


@dataclass
class Delivery:
    """One visitor's enrollment, from sending to the estate's reply."""

    estate: LocalEstate
    person: SamplePerson
    sealed: bytes = b""
    temporary: Path = field(default=Path())

    @property
    def plain(self) -> list[bytes]:
        """What only the visitor and the estate may ever see."""
        return [*needles(self.person.portrait), CANARY.encode(), CANARY[:28].encode()]

    @property
    def cloud_files(self) -> list[Path]:
        """Everything the cloud writes to."""
        engine = sa.create_engine(
            self.estate.cloud_database or f"sqlite:///{self.estate.folder / 'cloud/cloud.sqlite'}"
        )
        try:
            database = database_files(engine)
        finally:
            engine.dispose()
        return [*database, self.estate.folder / "cloud", self.estate.cloud.log, self.temporary]

    def send(self) -> Reply:
        """Send the photo and wait for the estate's sealed reply."""

        def keep(request: httpx.Request) -> None:
            if request.method == "PUT":
                self.sealed = request.read()

        with (
            self.estate.staff() as staff,
            httpx.Client(trust_env=False, event_hooks={"request": [keep]}) as http,
        ):
            until = int(time.time()) + VISIT_SECONDS
            invitation = {"kind": "visitor", "name": "", "unit": "1-101", "valid_until": until}
            link = staff.call("POST", "invitations", invitation)["link"]
            client = EnrollmentClient(http)
            submission = submit_when_known(client, link, self.person)
            return next(client.replies(submission, seconds=60))

    @property
    def cloud_pid(self) -> int:
        """The cloud's process."""
        process = self.estate.cloud.process
        assert process is not None
        return process.pid


@pytest.fixture(params=["sqlite", "postgresql"])
def delivery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Delivery]:
    """An estate whose cloud has a temporary folder of its own; maybe a handler that leaks."""
    marker = request.node.get_closest_marker("leak")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary)}
    if marker is not None:
        environment["GATEHOUSE_TEST_LEAK"] = marker.args[0]
        environment["PYTHONPATH"] = str(Path(__file__).parent / "leaks")
    people = sample_people(load_pack(folder=default_folder()))
    person = SamplePerson(CANARY, people[2].portrait, people[2].cutout)
    with ExitStack() as stack:
        cloud = server = ""
        if request.param == "postgresql":
            cloud = stack.enter_context(postgresql_database())
            server = stack.enter_context(postgresql_database())
        estate = stack.enter_context(
            LocalEstate(tmp_path / "estate", cloud_database=cloud, server_database=server)
        )
        estate.cloud.environment = {**estate.cloud.environment, **environment}
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Canary Court")
        yield Delivery(estate, person, temporary=temporary)


def test_after_delivery_no_trace_is_left_in_files_or_memory(delivery: Delivery) -> None:
    assert delivery.send().outcome == "received"
    sealed = needles(delivery.sealed)
    assert len(delivery.sealed) > 10_000
    wait_for(
        "the envelope to be gone from the cloud's files",
        lambda: not files_with(sealed, delivery.cloud_files),
        30,
    )
    assert files_with(delivery.plain, delivery.cloud_files) == []
    assert not memory_holds(delivery.plain, delivery.cloud_pid)


def test_the_photo_is_nowhere_on_the_servers_disk(delivery: Delivery) -> None:
    assert delivery.send().outcome == "received"
    places = [delivery.estate.folder / "server", delivery.estate.server.log]
    assert files_with(delivery.plain, places) == []
    with delivery.estate.staff() as staff:
        (waiting,) = staff.call("GET", "approvals")
        staff.call("POST", f"approvals/{waiting['id']}", {"decision": "approve"})
    assert files_with(delivery.plain, places) == []


@pytest.mark.parametrize("delivery", ["sqlite"], indirect=True)
class TestTheSearchFindsALeak:
    """The same search fails when one handler leaks on purpose."""

    @pytest.mark.leak("temporary file")
    def test_in_a_temporary_file(self, delivery: Delivery) -> None:
        delivery.send()
        assert files_with(needles(delivery.sealed), [delivery.temporary])

    @pytest.mark.leak("log")
    def test_in_the_log(self, delivery: Delivery) -> None:
        delivery.send()
        assert files_with(needles(delivery.sealed), [delivery.estate.cloud.log])

    @pytest.mark.leak("memory")
    @pytest.mark.skipif(os.geteuid() != 0, reason="another process's memory needs root")
    def test_in_memory(self, delivery: Delivery) -> None:
        delivery.send()
        assert memory_holds(needles(delivery.sealed), delivery.cloud_pid)
