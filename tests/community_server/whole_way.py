"""From an invitation to the reply, between a real server process and a cloud's double."""

import secrets
from collections.abc import Sequence

from community_server.database import now
from gatehouse.local_estate import wait_for
from tests.community_server.bench import Draft, honest_consents
from tests.community_server.doubles import COMMUNITY, CloudDouble
from tests.community_server.server_process import Desk
from tier_link.certificates import load_root, verify_certificate
from tier_link.invitations import parse_link
from tier_link.replies import Reply, open_reply
from tier_link.sealing import new_sealing_key


def pair_cloud(desk: Desk, cloud: CloudDouble) -> None:
    answer = desk.call("POST", "/api/v1/cloud", {"url": cloud.url, "code": cloud.issue_code()})
    assert answer == {"community": COMMUNITY}
    wait_for("the profile at the cloud", lambda: cloud.profile)
    desk.switch_faces_on()


def draft_for(cloud: CloudDouble, link: str, photos: Sequence[bytes]) -> Draft:
    """Write an enrollment from what the cloud was told, checked as a browser checks it."""
    target = parse_link(link)
    assert cloud.profile is not None
    root = load_root(cloud.profile.root_public, target.invitation.fingerprint)
    carried = cloud.profile.certificates[0]
    certificate = verify_certificate(
        carried.certificate,
        carried.signature,
        root,
        community=target.community,
        purpose="envelope",
        now=now(),
    )
    return Draft(
        invitation=target.invitation,
        kind=target.enrolls,
        community=target.community,
        envelope=secrets.token_hex(16),
        key=certificate.key,
        key_public=certificate.public_bytes,
        photos=tuple(photos),
        consents=honest_consents(),
        reply_key=new_sealing_key(),
    )


def reply_to(cloud: CloudDouble, draft: Draft, number: int, link: str) -> Reply:
    def look() -> bytes:
        found = [r for r in cloud.replies if (r.envelope, r.number) == (draft.envelope, number)]
        return found[0].sealed if found else b""

    sealed = wait_for("the reply", look)
    assert cloud.profile is not None
    root = load_root(cloud.profile.root_public, parse_link(link).invitation.fingerprint)
    return open_reply(
        draft.reply_key,
        sealed,
        root_public=root,
        community=draft.community,
        envelope=draft.envelope,
        number=number,
        now=now(),
    )
