"""Real processes, real HTTP, a real link: from an upload to the reply that a person reads."""

import os
import resource
import secrets
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from gatehouse.enrollment_client import EnrollmentClient, Submission
from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble
from tests.enrollment_cloud.traces import all_files, database_files, found_in, pieces_of
from tier_link.envelopes import Particulars, Photo
from tier_link.errors import PairingRefused
from tier_link.invitations import InvitationSecret, invitation_link
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD, SUITE_NAME
from tier_link.store import open_database

SMALLEST = PADDED_SIZES[0] + SEAL_OVERHEAD


def submit(
    http: httpx.Client, cloud: CloudProcess, community: CommunityDouble, photo: bytes
) -> Submission:
    invitation = community.invite()
    community.settle()
    link = invitation_link(cloud.address, community.id, "resident", invitation)
    return EnrollmentClient(http).submit(link, [Photo("front", photo)])


def state(http: httpx.Client, address: str) -> str:
    answer = http.get(address)
    body = answer.json()
    return str(body["state"] if answer.is_success else body["error"]["code"])


def scrubs(cloud: CloudProcess) -> int:
    return cloud.log.read_text().count("event=relay-scrubbed finished=True")


def put(
    http: httpx.Client,
    cloud: CloudProcess,
    community: str,
    invitation: InvitationSecret,
    envelope: str,
    sealed: bytes,
) -> httpx.Response:
    return http.put(
        f"{cloud.api}/{community}/envelopes/{envelope}",
        params={"invitation": invitation.id, "key": "w1", "suite": SUITE_NAME},
        content=sealed,
        headers={"content-type": "application/octet-stream"},
    )


def test_from_upload_to_reply_and_nothing_stays(
    cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    canary = secrets.token_bytes(24)
    name = f"canary-{secrets.token_hex(12)}"
    community.disconnect()  # so that the envelope has to wait
    invitation = community.invite("visitor")
    community.connect(cloud.link_address)
    community.settle()
    community.disconnect()
    client = EnrollmentClient(http)
    submission = client.submit(
        invitation_link(cloud.address, community.id, "visitor", invitation),
        [Photo("front", os.urandom(90_000) + canary + os.urandom(9_000))],
        particulars=Particulars(name=name, phone="13800000000"),
    )
    assert state(http, submission.address) == "waiting"
    engine = open_database(cloud.database)
    with engine.connect() as connection:
        body = connection.scalars(
            text("SELECT body FROM link_outbox WHERE peer = :peer"), {"peer": community.id}
        ).one()
    pieces = pieces_of(bytes(body))
    wait_for("the search to see", lambda: found_in(database_files(engine), pieces))

    before = scrubs(cloud)
    community.connect(cloud.link_address)
    deposited = community.next_envelope(submission.envelope)
    enrollment = community.open(deposited)
    enrollment.verify_mac(invitation.auth)
    assert (enrollment.particulars.name, deposited.sealed_by) == (name, "browser")
    assert canary in enrollment.photos[0].data
    wait_for("collected", lambda: state(http, submission.address) == "collected")
    wait_for("a scrub", lambda: scrubs(cloud) > before)
    wait_for("no trace", lambda: not found_in(database_files(engine), pieces))
    engine.dispose()

    community.reply(enrollment, 1, "received")
    community.reply(enrollment, 2, "enrolled")
    replies = client.replies(submission, seconds=30)
    assert [next(replies).outcome, next(replies).outcome] == ["received", "enrolled"]

    assert any(community.id.encode() in region for region in cloud.memory()), "blind"
    plain = [canary, name.encode(), b"13800000000"]
    assert not any(word in region for region in cloud.memory() for word in plain)
    rest = [*all_files(cloud.folder / "data"), *all_files(cloud.temporary), cloud.log]
    assert found_in(rest, [*pieces, *plain]) == []
    assert "127.0.0.1" not in cloud.log.read_text()
    assert submission.envelope not in cloud.log.read_text()
    assert cloud.stop() == 0
    cloud.start()


@pytest.mark.long
def test_a_killed_cloud_loses_nothing_that_it_acknowledged(
    cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    community.disconnect()
    submissions = []
    community.connect(cloud.link_address)
    invitations = [community.invite() for _ in range(3)]
    community.settle()
    community.disconnect()
    for invitation in invitations:
        envelope = secrets.token_hex(16)
        body = os.urandom(SMALLEST)
        assert put(http, cloud, community.id, invitation, envelope, body).status_code == 202
        submissions.append((envelope, body))
        cloud.kill()
        cloud.start()
    community.connect(cloud.link_address)
    for envelope, body in submissions:
        assert community.next_envelope(envelope).sealed == body
        wait_for(
            "collected",
            lambda envelope=envelope: (
                state(  # type: ignore[misc]  # mypy cannot infer a bound default
                    http, f"{cloud.api}/{community.id}/envelopes/{envelope}"
                )
                == "collected"
            ),
        )
    cloud.kill()
    cloud.start()
    envelope = submissions[0][0]
    assert state(http, f"{cloud.api}/{community.id}/envelopes/{envelope}") == "collected"
    assert len(community.received.envelopes) == 3


def test_what_one_process_takes_another_ones_link_delivers(
    cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    replica = CloudProcess(cloud.folder, cloud.database, name="replica")
    replica.start()
    try:
        assert community.id  # linked to the first process
        submission = submit(http, replica, community, b"photo")
        enrollment = community.open(community.next_envelope(submission.envelope))
        community.reply(enrollment, 1, "enrolled")
        reply = next(EnrollmentClient(http).replies(submission, seconds=30))
        assert reply.outcome == "enrolled"
    finally:
        assert replica.stop() == 0


def test_a_revoked_community_is_gone_everywhere_at_once(
    cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    cloud.command("revoke", community.id)
    assert state(http, f"{cloud.api}/{community.id}") == "community-unknown"
    assert community.dialer is not None
    dialer = community.dialer
    wait_for("the link to end", lambda: dialer.state.phase == "refused")
    assert dialer.state.why == "unknown-peer"


def test_a_community_pairs_once_per_code_and_may_pair_anew(
    cloud: CloudProcess, community: CommunityDouble, tmp_path: Path
) -> None:
    facts = cloud.pair("--again", community.id)
    other = CommunityDouble(tmp_path / "other")
    other.pair(cloud.link_address, facts)
    with pytest.raises(PairingRefused):
        other.pair(cloud.link_address, facts)
    assert community.dialer is not None
    dialer = community.dialer
    wait_for("the old server's link to end", lambda: dialer.state.phase == "refused")
    other.connect(cloud.link_address)
    other.publish()
    other.settle()
    other.close()


def test_after_a_day_nothing_of_an_envelope_that_nobody_fetched_is_left(
    cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    invitation = community.invite()
    community.settle()
    community.disconnect()
    envelope, body = secrets.token_hex(16), os.urandom(SMALLEST)
    assert put(http, cloud, community.id, invitation, envelope, body).status_code == 202
    cloud.kill()
    engine = open_database(cloud.database)
    wait_for("the search to see", lambda: found_in(database_files(engine), pieces_of(body)))
    with engine.begin() as connection:  # as if it had been put there yesterday
        connection.execute(
            text(
                "UPDATE envelopes SET received_at = received_at - 90000,"
                " expires_at = expires_at - 90000 WHERE id = :id"
            ),
            {"id": envelope},
        )
        connection.execute(
            text("UPDATE link_outbox SET created_at = created_at - 90000 WHERE peer = :peer"),
            {"peer": community.id},
        )
    before = scrubs(cloud)
    cloud.start()
    wait_for("a scrub", lambda: scrubs(cloud) > before)
    wait_for("no trace", lambda: not found_in(database_files(engine), pieces_of(body)))
    engine.dispose()
    address = f"{cloud.api}/{community.id}/envelopes/{envelope}"
    assert state(http, address) == "envelope-unknown"


def test_a_full_disk_refuses_and_keeps_no_half_of_anything(
    cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    if not cloud.database.startswith("sqlite"):
        pytest.skip("the disk under PostgreSQL is not ours to fill")
    invitation = community.invite()
    community.settle()
    envelope, body = secrets.token_hex(16), os.urandom(PADDED_SIZES[6] + SEAL_OVERHEAD)
    usual = resource.prlimit(cloud.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(cloud.pid, resource.RLIMIT_FSIZE, (600_000, usual[1]))
    answer = put(http, cloud, community.id, invitation, envelope, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage-failed")
    address = f"{cloud.api}/{community.id}/envelopes/{envelope}"
    assert state(http, address) == "envelope-unknown"
    resource.prlimit(cloud.pid, resource.RLIMIT_FSIZE, usual)
    assert put(http, cloud, community.id, invitation, envelope, body).status_code == 202
    assert community.next_envelope(envelope).sealed == body


def test_a_lost_outbox_makes_the_browser_send_again(
    cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    invitation = community.invite()
    community.settle()
    community.disconnect()
    envelope, body = secrets.token_hex(16), os.urandom(SMALLEST)
    address = f"{cloud.api}/{community.id}/envelopes/{envelope}"
    assert put(http, cloud, community.id, invitation, envelope, body).status_code == 202
    cloud.kill()
    engine = open_database(cloud.database)
    with engine.begin() as connection:  # as a crash of PostgreSQL does to an unlogged table
        connection.execute(text("DELETE FROM link_outbox"))
    engine.dispose()
    cloud.start()
    address = f"{cloud.api}/{community.id}/envelopes/{envelope}"
    assert state(http, address) == "envelope-unknown"
    assert put(http, cloud, community.id, invitation, envelope, body).status_code == 202
    community.connect(cloud.link_address)
    assert community.next_envelope(envelope).sealed == body
