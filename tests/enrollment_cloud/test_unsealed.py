"""Uploads of clients that cannot seal, with a running cloud and a linked community."""

import secrets
import socket
from pathlib import Path

import httpx
import pytest

from gatehouse.local_estate import wait_for
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble
from tests.enrollment_cloud.traces import all_files, found_in
from tier_link.base64url import encode_base64url
from tier_link.invitations import InvitationSecret
from tier_link.sealing import new_sealing_key, sealing_public_bytes

BOUNDARY = "bound"


@pytest.fixture(scope="module")
def community(small_community: CommunityDouble) -> CommunityDouble:
    small_community.publish(unsealed=True)
    small_community.settle()
    return small_community


@pytest.fixture
def invitation(community: CommunityDouble) -> InvitationSecret:
    invitation = community.invite("visitor")
    community.settle()
    return invitation


def fields(invitation: InvitationSecret, photo: bytes) -> dict[str, bytes]:
    return {
        "fragment": invitation.fragment.encode(),
        "language": b"en",
        "consents": CommunityDouble.consents_chosen().encode(),
        "name": "王小明".encode(),
        "photo-front": photo,
    }


def post(
    http: httpx.Client, cloud: CloudProcess, community: CommunityDouble, form: dict[str, bytes]
) -> httpx.Response:
    return http.post(
        f"{cloud.api}/{community.id}/unsealed-enrollments",
        files={name: (None, value) for name, value in form.items()},
        headers={"accept-language": "en"},
    )


def test_the_cloud_seals_at_once_what_a_client_could_not(
    small_cloud: CloudProcess,
    community: CommunityDouble,
    invitation: InvitationSecret,
    http: httpx.Client,
) -> None:
    reply_key = sealing_public_bytes(new_sealing_key())
    form = fields(invitation, b"a photo") | {"reply_key": encode_base64url(reply_key).encode()}
    answer = post(http, small_cloud, community, form)
    assert answer.status_code == 202, answer.text
    deposited = community.next_envelope(answer.json()["envelope"])
    assert deposited.sealed_by == "cloud"
    enrollment = community.open(deposited)
    enrollment.verify_mac(invitation.auth)
    assert enrollment.sealed_by == "cloud"
    assert enrollment.particulars.name == "王小明"
    assert [photo.data for photo in enrollment.photos] == [b"a photo"]
    assert {consent.id for consent in enrollment.consents} == {"encode", "unsealed"}
    assert enrollment.reply_key == reply_key


def test_a_client_that_reads_no_replies_needs_no_key(
    small_cloud: CloudProcess,
    community: CommunityDouble,
    invitation: InvitationSecret,
    http: httpx.Client,
) -> None:
    answer = post(http, small_cloud, community, fields(invitation, b"a photo"))
    deposited = community.next_envelope(answer.json()["envelope"])
    assert community.open(deposited).reply_key == b""


def test_the_same_form_twice_is_one_enrollment(
    small_cloud: CloudProcess,
    community: CommunityDouble,
    invitation: InvitationSecret,
    http: httpx.Client,
) -> None:
    form = fields(invitation, b"a photo") | {"envelope": secrets.token_hex(16).encode()}
    first, second = (post(http, small_cloud, community, form) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["envelope"] == second.json()["envelope"]
    other = post(http, small_cloud, community, form | {"name": b"another"})
    assert other.json()["error"]["code"] == "envelope-conflict"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"consents": b'[{"id":"encode","version":"1","language":"en"}]'}, "consent-missing"),
        ({"consents": b'[{"id":"unsealed","version":"1","language":"en"}]'}, "consent-missing"),
        ({"consents": b'[{"id":"encode","version":"0","language":"en"}]'}, "consent-missing"),
        ({"consents": b"[" * 50_000}, "form-malformed"),
        ({"fragment": b"x" * 64}, "invitation-unknown"),
        ({"fragment": b"x"}, "form-malformed"),
        ({"language": b"fr"}, "form-malformed"),
        ({"name": b"\xff"}, "form-malformed"),
        ({"name": b"n" * 65}, "form-malformed"),
        ({"reply_key": b"AAAA"}, "form-malformed"),
        ({"photo-front": b""}, "form-malformed"),
        ({"surprise": b"1"}, "form-malformed"),
        ({"alternative": b"card"}, "form-malformed"),
        ({"envelope": b"short"}, "identifier-malformed"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_with_a_code(
    small_cloud: CloudProcess,
    community: CommunityDouble,
    invitation: InvitationSecret,
    http: httpx.Client,
    change: dict[str, bytes],
    code: str,
) -> None:
    answer = post(http, small_cloud, community, fields(invitation, b"a photo") | change)
    assert answer.json()["error"]["code"] == code


def test_a_photo_in_the_clear_never_touches_a_disk(
    small_cloud: CloudProcess, community: CommunityDouble, invitation: InvitationSecret
) -> None:
    early, late = secrets.token_bytes(24), secrets.token_bytes(24)
    photo = early + bytes(1_400_000) + late
    form = fields(invitation, photo)
    body = b"".join(
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + value
        + b"\r\n"
        for name, value in form.items()
    )
    end = f"--{BOUNDARY}--\r\n".encode()
    host, port = small_cloud.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            f"POST /api/v1/communities/{community.id}/unsealed-enrollments HTTP/1.1\r\n"
            f"host: x\r\ncontent-type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"content-length: {len(body) + len(end)}\r\n\r\n".encode()
            + body
        )
        # All of it is in the process's memory now (so the search in memory is not blind) …
        wait_for("the photo", lambda: any(late in region for region in small_cloud.memory()))
        # … and no temporary file is open, not even one that has already been unlinked.
        assert [name for name in _open_files(small_cloud) if "tmp" in Path(name).parts[-2]] == []
        assert [name for name in _open_files(small_cloud) if "deleted" in name] == []
        connection.sendall(end)
        assert b" 202 " in connection.recv(65536)
    files = [*all_files(small_cloud.folder / "data"), *all_files(small_cloud.temporary)]
    assert found_in(files, [early, late]) == []
    assert found_in([small_cloud.log], [early, late]) == []


def _open_files(cloud: CloudProcess) -> list[str]:
    found = []
    for link in Path(f"/proc/{cloud.pid}/fd").iterdir():
        try:
            name = str(link.readlink())
        except FileNotFoundError:
            continue  # closed meanwhile
        if name.startswith("/"):
            found.append(name)
    return found


def test_nobody_enrolls_by_a_poster(
    small_cloud: CloudProcess, community: CommunityDouble, http: httpx.Client
) -> None:
    poster = community.invite("poster")
    community.settle()
    refused = post(http, small_cloud, community, fields(poster, b"photo"))
    assert refused.json()["error"]["code"] == "invitation-unknown"
