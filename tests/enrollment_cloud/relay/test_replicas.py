"""Three cloud processes, three brokers, one PostgreSQL: what one takes, any other hands out."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble
from tests.enrollment_cloud.replicas import cloud_replicas
from tests.enrollment_cloud.traces import database_files, found_in, pieces_of
from tests.support.databases import postgresql_database
from tests.support.nats_cluster import NatsCluster, nats_cluster
from tier_link.invitations import InvitationSecret
from tier_link.relay_messages import ReplySealed
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD, SUITE_NAME
from tier_link.store import open_database

pytestmark = pytest.mark.long

FEW_PIECES = 5
"""Enough to be found by: each is searched for in gigabytes of PostgreSQL's log."""


@dataclass
class Site:
    brokers: NatsCluster
    clouds: list[CloudProcess]
    database: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with (
        postgresql_database() as database,
        nats_cluster(folder / "nats") as brokers,
        cloud_replicas(folder, database, brokers.address) as clouds,
    ):
        yield Site(brokers, clouds, database)


@pytest.fixture
def community(site: Site, tmp_path: Path) -> Iterator[CommunityDouble]:
    """Paired at the first, published through the second."""
    double = CommunityDouble(tmp_path)
    double.pair(site.clouds[0].link_address, site.clouds[0].register("Sunny Court"))
    double.connect(site.clouds[1].link_address)
    double.publish()
    double.settle()
    yield double
    double.close()


@dataclass
class Upload:
    """What a browser has sent, and can send again."""

    community: str
    invitation: InvitationSecret
    envelope: str
    sealed: bytes

    @classmethod
    def of(cls, community: CommunityDouble, size: int = PADDED_SIZES[4]) -> "Upload":
        invitation = community.invite()
        community.settle()
        sealed = os.urandom(size + SEAL_OVERHEAD)
        return cls(community.id, invitation, secrets.token_hex(16), sealed)

    def put(self, cloud: CloudProcess) -> int:
        answer = httpx.put(
            f"{cloud.api}/{self.community}/envelopes/{self.envelope}",
            params={"invitation": self.invitation.id, "key": "w1", "suite": SUITE_NAME},
            content=self.sealed,
            headers={"content-type": "application/octet-stream"},
            trust_env=False,
            timeout=30,
        )
        return answer.status_code

    def put_in_the_end(self, cloud: CloudProcess) -> None:
        """Send it as often as a browser does: until it is taken."""
        wait_for("a cloud that takes it", lambda: self.put(cloud) == 202)

    def ask(self, cloud: CloudProcess) -> httpx.Response:
        return cloud.get(f"/api/v1/communities/{self.community}/envelopes/{self.envelope}")

    def state(self, cloud: CloudProcess) -> str:
        answer = self.ask(cloud)
        body = answer.json()
        return str(body["state"] if answer.is_success else body["error"]["code"])


def times(community: CommunityDouble, upload: Upload) -> int:
    return sum(one.envelope == upload.envelope for one in community.received.envelopes)


def test_what_one_takes_the_estate_gets_from_another_and_the_reply_is_read_at_a_third(
    site: Site, community: CommunityDouble
) -> None:
    upload = Upload.of(community)
    assert upload.put(site.clouds[0]) == 202  # the link is at clouds[1]
    assert community.next_envelope(upload.envelope).sealed == upload.sealed
    for cloud in site.clouds:
        wait_for("collected", lambda cloud=cloud: upload.state(cloud) == "collected")  # type: ignore[misc]  # mypy cannot infer a bound default
    assert times(community, upload) == 1
    community.say(ReplySealed(upload.envelope, 1, final=True, sealed=os.urandom(200)))
    community.settle()
    for cloud in site.clouds:
        assert len(upload.ask(cloud).json()["replies"]) == 1


def test_an_invitation_published_at_one_is_open_and_closed_at_all(
    site: Site, community: CommunityDouble
) -> None:
    upload = Upload.of(community)
    address = f"/api/v1/communities/{community.id}/invitations/{upload.invitation.id}"
    assert [cloud.get(address).status_code for cloud in site.clouds] == [200] * 3
    community.withdraw(upload.invitation)
    community.settle()
    assert [cloud.get(address).status_code for cloud in site.clouds] == [410] * 3
    assert upload.put(site.clouds[2]) == 410


def test_a_community_revoked_by_command_loses_its_link_wherever_it_is(
    site: Site, community: CommunityDouble
) -> None:
    site.clouds[2].command("revoke", community.id)
    wait_for("the end of its link", lambda: not community.received.up.is_set())


def test_replicas_that_start_together_on_a_new_database_are_one_cloud(site: Site) -> None:
    logs = [cloud.log.read_text() for cloud in site.clouds]
    assert not any("Traceback" in log for log in logs)
    assert [cloud.get("/health/ready").status_code for cloud in site.clouds] == [200] * 3


def test_a_killed_process_takes_nothing_along(site: Site, community: CommunityDouble) -> None:
    uploads = [Upload.of(community) for _ in range(3)]
    community.disconnect()
    for upload, cloud in zip(uploads, site.clouds, strict=True):
        assert upload.put(cloud) == 202
        cloud.kill()
        cloud.start()
    community.connect(site.clouds[0].link_address)
    for upload in uploads:
        assert community.next_envelope(upload.envelope).sealed == upload.sealed
    wait_for(
        "all collected",
        lambda: {upload.state(site.clouds[1]) for upload in uploads} == {"collected"},
    )
    assert [times(community, upload) for upload in uploads] == [1, 1, 1]


def test_a_process_killed_with_the_link_is_replaced_by_any_other(
    site: Site, community: CommunityDouble
) -> None:
    site.clouds[1].kill()
    community.disconnect()
    community.connect(site.clouds[2].link_address)
    after = Upload.of(community)
    assert after.put(site.clouds[0]) == 202
    assert community.next_envelope(after.envelope).sealed == after.sealed
    site.clouds[1].start()


def test_any_one_broker_may_die_while_envelopes_wait(
    site: Site, community: CommunityDouble
) -> None:
    uploads = [Upload.of(community) for _ in site.brokers.brokers]
    community.disconnect()
    for upload, node in zip(uploads, site.brokers.brokers, strict=True):
        upload.put_in_the_end(site.clouds[0])
        node.kill()
        assert upload.state(site.clouds[1]) == "waiting"
        site.brokers.start()
        wait_for("its copies", lambda: same_everywhere(site.brokers))
    community.connect(site.clouds[2].link_address)
    for upload in uploads:
        assert community.next_envelope(upload.envelope).sealed == upload.sealed
        assert times(community, upload) == 1


def test_after_all_brokers_were_gone_the_page_is_told_to_send_again_and_does(
    site: Site, community: CommunityDouble
) -> None:
    upload = Upload.of(community)
    community.disconnect()
    upload.put_in_the_end(site.clouds[0])
    site.brokers.kill()
    assert upload.state(site.clouds[1]) == "waiting", "nobody can say yet"
    site.brokers.start()
    wait_for("the word", lambda: upload.state(site.clouds[2]) == "envelope-unknown")
    upload.put_in_the_end(site.clouds[2])
    assert upload.state(site.clouds[0]) == "waiting"
    community.connect(site.clouds[1].link_address)
    assert community.next_envelope(upload.envelope).sealed == upload.sealed
    wait_for("collected", lambda: upload.state(site.clouds[0]) == "collected")
    assert times(community, upload) == 1


def test_with_brokers_away_an_upload_is_put_off_and_all_else_goes_on(
    site: Site, community: CommunityDouble
) -> None:
    upload = Upload.of(community)
    site.brokers.kill()
    try:
        assert upload.put(site.clouds[0]) == 503
        assert site.clouds[0].get("/health/ready").status_code == 200
        assert site.clouds[1].get(f"/c/{community.id}/enroll").status_code == 200
        community.invite()
        community.settle()  # records of the estate's take effect
    finally:
        site.brokers.start()
    upload.put_in_the_end(site.clouds[0])
    assert community.next_envelope(upload.envelope).sealed == upload.sealed


def test_no_sealed_byte_is_in_any_file_of_brokers_database_or_processes(
    site: Site, community: CommunityDouble
) -> None:
    upload = Upload.of(community)
    community.disconnect()
    upload.put_in_the_end(site.clouds[0])
    pieces = pieces_of(upload.sealed)[:FEW_PIECES]
    engine = open_database(site.database)
    files = database_files(engine)
    engine.dispose()
    written = [path for cloud in site.clouds for path in cloud.folder.rglob("*")]
    assert found_in(files, [bytes.fromhex(upload.invitation.id), upload.invitation.id.encode()])
    assert found_in(site.brokers.files(), [b"GATEHOUSE_ENVELOPES"]), "the search is blind"
    assert found_in([*files, *site.brokers.files(), *written], pieces) == []
    community.connect(site.clouds[1].link_address)
    assert community.next_envelope(upload.envelope).sealed == upload.sealed


def same_everywhere(cluster: NatsCluster) -> bool:
    counts = [(node.ask("jsz") or {}).get("messages") for node in cluster.brokers]
    return counts[0] is not None and len(set(counts)) == 1
