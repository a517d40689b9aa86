"""After delivery the cloud holds neither a photo or name nor the sealed envelope they came in."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from face_engine.models import default_folder, load_pack
from gatehouse.demo import VISIT_SECONDS, submit_when_known
from gatehouse.enrollment_client import EnrollmentClient
from gatehouse.local_estate import LocalEstate, TierProcess, free_port, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.end_to_end.searching import files_with, memory_holds, needles
from tests.enrollment_cloud.traces import database_files
from tests.support.databases import BOTH, databases
from tier_link.replies import Reply

CANARY = "Canary-4f8c1b7a-Kanarienvogel-九宫鸟"


@dataclass
class Delivery:
    """One visitor's enrollment, from sending to the estate's reply, through one cloud process."""

    estate: LocalEstate
    person: SamplePerson
    cloud: TierProcess
    address: str
    temporary: Path
    sealed: bytes = b""

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
        return [*database, self.estate.folder / "cloud", self.cloud.log, self.temporary]

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
            here = link.replace(self.estate.cloud_address, self.address)
            submission = submit_when_known(client, here, self.person)
            return next(client.replies(submission, seconds=60))

    @property
    def cloud_pid(self) -> int:
        """The cloud's process."""
        assert self.cloud.process is not None
        return self.cloud.process.pid


@pytest.fixture(scope="module", params=BOTH)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Delivery]:
    """An estate whose cloud has a temporary folder of its own, and a person with a canary."""
    folder = tmp_path_factory.mktemp("canary")
    temporary = folder / "temporary"
    temporary.mkdir()
    people = sample_people(load_pack(folder=default_folder()))
    person = SamplePerson(CANARY, people[2].portrait, people[2].cutout)
    with ExitStack() as stack:
        cloud, server = stack.enter_context(databases(request.param, 2))
        estate = stack.enter_context(
            LocalEstate(folder / "estate", cloud_database=cloud, server_database=server)
        )
        estate.cloud.environment = {**estate.cloud.environment, "TMPDIR": str(temporary)}
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Canary Court")
        yield Delivery(estate, person, estate.cloud, estate.cloud_address, temporary)


@pytest.fixture
def delivery(running: Delivery) -> Delivery:
    """One delivery through the estate's honest cloud."""
    return replace(running)


@pytest.fixture
def leaking(
    running: Delivery, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Delivery]:
    """One delivery through another process of the same cloud, which leaks on purpose."""
    marker = request.node.get_closest_marker("leak")
    assert marker is not None
    port = free_port()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {
        **running.cloud.environment,
        "GATEHOUSE_CLOUD_PORT": str(port),
        "GATEHOUSE_TEST_LEAK": marker.args[0],
        "PYTHONPATH": str(Path(__file__).parent / "leaks"),
        "TMPDIR": str(temporary),
    }
    cloud = TierProcess(running.cloud.arguments, environment, tmp_path / "cloud.log")
    cloud.start()
    address = f"http://127.0.0.1:{port}"
    try:
        running.estate.await_health(cloud, address)
        yield replace(running, cloud=cloud, address=address, temporary=temporary)
    finally:
        cloud.stop()


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
        for waiting in staff.call("GET", "approvals"):
            staff.call("POST", f"approvals/{waiting['id']}", {"decision": "approve"})
    assert files_with(delivery.plain, places) == []


@pytest.mark.parametrize("running", ["sqlite"], indirect=True)
class TestTheSearchFindsALeak:
    """The same search fails when one handler leaks on purpose."""

    @pytest.mark.leak("temporary file")
    def test_in_a_temporary_file(self, leaking: Delivery) -> None:
        leaking.send()
        assert files_with(needles(leaking.sealed), [leaking.temporary])

    @pytest.mark.leak("log")
    def test_in_the_log(self, leaking: Delivery) -> None:
        leaking.send()
        assert files_with(needles(leaking.sealed), [leaking.cloud.log])

    @pytest.mark.leak("memory")
    @pytest.mark.skipif(os.geteuid() != 0, reason="another process's memory needs root")
    def test_in_memory(self, leaking: Delivery) -> None:
        leaking.send()
        assert memory_holds(needles(leaking.sealed), leaking.cloud_pid)
