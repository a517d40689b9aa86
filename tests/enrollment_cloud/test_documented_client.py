"""What `docs/api-cloud.md` says is enough to enroll."""

import httpx

from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble
from tests.enrollment_cloud.documented_client import DocumentedClient
from tier_link.envelopes import Particulars, Photo
from tier_link.invitations import invitation_link


def test_a_client_written_from_the_page_alone_enrolls_and_reads_its_replies(
    small_cloud: CloudProcess, small_community: CommunityDouble, http: httpx.Client
) -> None:
    invitation = small_community.invite("visitor")
    small_community.settle()
    link = invitation_link(small_cloud.address, small_community.id, "visitor", invitation)
    client = DocumentedClient(link, http)
    who = {"name": "王小明", "phone": "", "visiting": "3-1204", "purpose": "", "plate": ""}

    client.enroll({"front": b"a photo", "left": b"another"}, who)

    enrollment = small_community.open(small_community.next_envelope(client.envelope))
    enrollment.verify_mac(invitation.auth)
    assert enrollment.photos == (Photo("front", b"a photo"), Photo("left", b"another"))
    assert enrollment.particulars == Particulars(name="王小明", visiting="3-1204")
    assert {consent.id for consent in enrollment.consents} == {"encode"}
    small_community.reply(enrollment, 1, "received")
    small_community.reply(enrollment, 2, "enrolled")
    replies = wait_for("both replies", lambda: (read := client.replies())[1:] and read)
    assert [reply["outcome"] for reply in replies] == ["received", "enrolled"]
