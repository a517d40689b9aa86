"""What a community may say over its link, and what becomes of nonsense."""

import pytest
from sqlalchemy.orm import Session

from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble
from tests.enrollment_cloud.samples import sealed_envelope
from tier_link.errors import RequestFailed
from tier_link.relay_messages import ReplySealed


def say_raw(community: CommunityDouble, kind: str, body: bytes) -> None:
    with Session(community.engine) as session, session.begin():
        community.store.put(session, "cloud", kind, body)


def test_nonsense_is_skipped_and_the_link_goes_on(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    say_raw(small_community, "profile-published", b"\x00nonsense")
    say_raw(small_community, "made-up", b"")
    small_community.say(sealed_envelope(small_community.keys.invitation(), 0))
    small_community.say(ReplySealed("0" * 32, 1, final=True, sealed=bytes(200)))
    invitation = small_community.invite()
    small_community.settle()
    path = f"/api/v1/communities/{small_community.id}/invitations/{invitation.id}"
    assert small_cloud.get(path).status_code == 200
    assert small_community.received.up.is_set()
    log = small_cloud.log.read_text()
    assert log.count("record refused") == 3
    assert "Traceback" not in log


def test_the_cloud_answers_no_requests(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    assert small_cloud.address
    assert small_community.dialer is not None
    dialer = small_community.dialer
    link = wait_for("the link", lambda: dialer.link)
    with pytest.raises(RequestFailed, match="request-unknown"):
        link.request("who-is-there", b"", 5.0)


def test_a_stranger_gets_no_link(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    stranger = CommunityDouble(small_community.folder / "stranger")
    stranger.cloud_key = small_community.cloud_key
    stranger.keys = small_community.keys  # its name, but another link key
    stranger.connect(small_cloud.link_address, wait=False)
    assert stranger.dialer is not None
    dialer = stranger.dialer
    wait_for("the refusal", lambda: dialer.state.phase == "refused")
    assert not stranger.received.up.is_set()
    stranger.close()
    assert small_community.received.up.is_set()
