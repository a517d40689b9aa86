"""The HTTP gates of a running cloud: what they refuse, how early, and in which words."""

import json
import os
import re
import secrets
import socket
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble
from tier_link.base64url import decode_base64url
from tier_link.invitations import InvitationSecret
from tier_link.relay_messages import MAX_SEALED
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD, SUITE_NAME

SMALLEST = PADDED_SIZES[0] + SEAL_OVERHEAD
OCTETS = "application/octet-stream"


@pytest.fixture(scope="module")
def invitation(small_community: CommunityDouble) -> InvitationSecret:
    invitation = small_community.invite()
    small_community.settle()
    return invitation


def error(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, str(response.json()["error"]["code"])


def target(community: CommunityDouble, invitation: InvitationSecret, /, **other: str) -> str:
    query = {"invitation": invitation.id, "key": "w1", "suite": SUITE_NAME, **other}
    envelope = query.pop("envelope", secrets.token_hex(16))
    return f"/api/v1/communities/{community.id}/envelopes/{envelope}?{httpx.QueryParams(query)}"


def raw_exchange(cloud: CloudProcess, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send exactly these bytes and return the status and the rest of the answer."""
    host, port = cloud.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = b""
        while not _is_whole(answer):
            piece = connection.recv(65536)
            assert piece, "closed without an answer"
            answer += piece
    found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    assert found, answer
    return int(found[1]), answer


def _is_whole(answer: bytes) -> bool:
    found = re.search(rb"content-length: (\d+)", answer)
    _, end, body = answer.partition(b"\r\n\r\n")
    return bool(found and end and len(body) >= int(found[1]))


def test_a_community_shows_what_it_published(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    profile = small_community.keys.profile()
    shown = small_cloud.get(f"/api/v1/communities/{small_community.id}").json()
    assert shown["community"] == small_community.id
    assert shown["name"] == profile.name
    assert decode_base64url(shown["root_public"]) == profile.root_public
    assert [decode_base64url(one["certificate"]) for one in shown["certificates"]]
    assert [one["id"] for one in shown["consents"]] == [one.id for one in profile.consents]
    assert shown["unsealed_uploads"] is False


def test_an_open_invitation_says_so(
    small_cloud: CloudProcess, small_community: CommunityDouble, invitation: InvitationSecret
) -> None:
    path = f"/api/v1/communities/{small_community.id}/invitations/{invitation.id}"
    shown = small_cloud.get(path).json()
    assert (shown["state"], shown["kind"]) == ("open", "resident")


def test_used_expired_and_unknown_invitations_say_so(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    used, expired = small_community.invite(), small_community.invite(lasts=-5)
    small_community.withdraw(used)
    small_community.settle()
    unknown = small_community.keys.invitation()
    base = f"/api/v1/communities/{small_community.id}"
    for one, expected in (
        (used, (410, "invitation-used")),
        (expired, (410, "invitation-expired")),
        (unknown, (404, "invitation-unknown")),
    ):
        assert error(small_cloud.get(f"{base}/invitations/{one.id}")) == expected
        upload = httpx.put(
            small_cloud.address + target(small_community, one),
            content=os.urandom(SMALLEST),
            headers={"content-type": OCTETS},
            trust_env=False,
        )
        assert error(upload) == expected


def test_a_repeated_upload_is_taken_and_another_one_is_not(
    small_cloud: CloudProcess,
    small_community: CommunityDouble,
    invitation: InvitationSecret,
    http: httpx.Client,
) -> None:
    address = small_cloud.address + target(small_community, invitation)
    body = os.urandom(SMALLEST)
    answers = [
        http.put(address, content=content, headers={"content-type": OCTETS})
        for content in (body, body, os.urandom(SMALLEST))
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 409]
    assert answers[0].json()["envelope"] == answers[1].json()["envelope"]
    assert error(answers[2]) == (409, "envelope-conflict")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"suite": "rot13"}, 400, "suite-unknown"),
        ({"key": "../../etc"}, 400, "identifier-malformed"),
        ({"invitation": "short"}, 400, "identifier-malformed"),
        ({"envelope": "ABC"}, 400, "identifier-malformed"),
        ({"invitation": "0" * 32}, 404, "invitation-unknown"),
    ],
)
def test_a_wrong_address_is_refused_before_the_body_is_sent(
    small_cloud: CloudProcess,
    small_community: CommunityDouble,
    invitation: InvitationSecret,
    change: dict[str, str],
    status: int,
    code: str,
) -> None:
    path = target(small_community, invitation, **change)
    found, answer = raw_exchange(
        small_cloud,
        f"PUT {path} HTTP/1.1\nhost: x\ncontent-type: {OCTETS}\ncontent-length: {SMALLEST}\n\n",
    )
    assert (found, code.encode() in answer) == (status, True)


@pytest.mark.parametrize(
    ("length", "content_type", "status", "code"),
    [
        (MAX_SEALED + 1, OCTETS, 413, "body-too-large"),
        (SMALLEST + 1, OCTETS, 400, "envelope-size-wrong"),
        (0, OCTETS, 400, "envelope-size-wrong"),
        (SMALLEST, "image/jpeg", 415, "media-type-wrong"),
    ],
)
def test_a_wrong_body_is_refused_before_it_is_sent(
    small_cloud: CloudProcess,
    small_community: CommunityDouble,
    invitation: InvitationSecret,
    length: int,
    content_type: str,
    status: int,
    code: str,
) -> None:
    path = target(small_community, invitation)
    found, answer = raw_exchange(
        small_cloud,
        f"PUT {path} HTTP/1.1\nhost: x\ncontent-type: {content_type}\ncontent-length: {length}\n\n",
    )
    assert (found, code.encode() in answer) == (status, True)


def test_a_body_that_never_says_its_length_is_cut_off(
    small_cloud: CloudProcess, small_community: CommunityDouble, invitation: InvitationSecret
) -> None:
    path = target(small_community, invitation)
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    found, answer = raw_exchange(
        small_cloud,
        f"PUT {path} HTTP/1.1\nhost: x\ncontent-type: {OCTETS}\ntransfer-encoding: chunked\n\n",
        chunk * (MAX_SEALED // 0x10000 + 1),
    )
    assert (found, b"body-too-large" in answer) == (413, True)


def test_unsealed_uploads_are_off_and_refused_before_they_are_sent(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    found, answer = raw_exchange(
        small_cloud,
        f"POST /api/v1/communities/{small_community.id}/unsealed-enrollments HTTP/1.1\n"
        "host: x\ncontent-type: multipart/form-data; boundary=b\ncontent-length: 2000000\n\n",
    )
    assert (found, b"unsealed-uploads-off" in answer) == (403, True)


@pytest.mark.parametrize(
    ("accepts", "language", "word"),
    [("en-GB,en;q=0.9", "en", "community"), ("zh", "zh-CN", "小区"), ("fr", "zh-CN", "小区")],
)
def test_errors_speak_the_persons_language(
    small_cloud: CloudProcess, accepts: str, language: str, word: str
) -> None:
    answer = small_cloud.get(
        "/api/v1/communities/nowhere-0000", headers={"accept-language": accepts}
    )
    assert error(answer) == (404, "community-unknown")
    assert answer.headers["content-language"] == language
    assert word in answer.json()["error"]["message"]


def test_an_unknown_address_of_the_api_answers_as_the_api_does(small_cloud: CloudProcess) -> None:
    assert error(small_cloud.get("/api/v1/nothing")) == (404, "page-unknown")
    answer = httpx.delete(f"{small_cloud.address}/api/v1/communities/a", trust_env=False)
    assert error(answer) == (405, "method-not-allowed")


def test_health_and_the_description_are_served(small_cloud: CloudProcess) -> None:
    assert small_cloud.get("/health").json() == {"status": "ok"}
    described = small_cloud.get("/api/v1/openapi.json").json()
    base = "/api/v1/communities/{community}"
    assert {f"{base}", f"{base}/envelopes/{{envelope}}"} <= described["paths"].keys()
    assert OCTETS in json.dumps(described["paths"])


def test_answers_carry_the_security_headers_and_are_not_kept(small_cloud: CloudProcess) -> None:
    headers = small_cloud.get("/health").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="/\\."), min_size=1, max_size=40)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    shape=st.sampled_from(
        [
            "/api/v1/communities/{0}",
            "/api/v1/communities/{0}/envelopes/{1}",
            "/api/v1/communities/{0}/invitations/{1}",
            "/api/v1/communities/{0}/unsealed-enrollments",
        ]
    ),
    texts=st.tuples(TEXTS, TEXTS),
    known=st.booleans(),
    query=st.dictionaries(st.sampled_from(["invitation", "key", "suite", "lang"]), TEXTS),
    body=st.binary(max_size=300),
    content_type=st.sampled_from([OCTETS, "multipart/form-data; boundary=x", "text/plain", ""]),
)
def test_whatever_is_sent_the_answer_is_a_refusal_with_a_code(
    small_cloud: CloudProcess,
    small_community: CommunityDouble,
    http: httpx.Client,
    method: str,
    shape: str,
    texts: tuple[str, str],
    known: bool,  # noqa: FBT001  # Hypothesis passes by name
    query: dict[str, str],
    body: bytes,
    content_type: str,
) -> None:
    community = small_community.id if known else texts[0]
    quoted = [quote(text, safe="") for text in (community, texts[1])]
    answer = http.request(
        method,
        small_cloud.address + shape.format(*quoted) + "?" + urlencode(query),
        content=body,
        headers={"content-type": content_type},
    )
    if answer.status_code == 200:
        assert (method, known) == ("GET", True)
        return
    assert 400 <= answer.status_code < 500
    refusal: dict[str, Any] = answer.json()["error"]
    assert re.fullmatch(r"[a-z-]+", refusal["code"])
    assert refusal["message"]


def test_none_of_this_left_a_trace_in_the_log(small_cloud: CloudProcess) -> None:
    log = small_cloud.log.read_text()
    assert "127.0.0.1" not in log
    assert "Traceback" not in log
    assert "unexpected-error" not in log
