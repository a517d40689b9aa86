"""One attempt: signed, to an address that was checked, without redirects, within its time."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from community_server.errors import InputRefused
from community_server.events.service import ShownEvent
from community_server.webhooks import sender as module
from community_server.webhooks.addresses import Undelivered, is_allowed, is_public, read_networks
from community_server.webhooks.sender import Refused, Sender, parse_url, show_secret, sign
from tests.community_server.webhooks.receivers import receiver
from tests.tier_link.channel.authorities import Authority

EVENT = ShownEvent(7, "e" * 32, "entry", 1_795_000_000, {"door": "d" * 32})
SECRET = b"\1" * 32
HERE = Sender(read_networks(["127.0.0.0/8"]))
NOW = 1_795_000_123


def test_the_signature_is_that_of_the_standard() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert show_secret(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_id_time_and_body_are_signed_and_arrive_as_sent() -> None:
    with receiver() as there:
        assert HERE.send(there.url, SECRET, EVENT, NOW) == 204
    ((headers, body),) = there.got
    assert json.loads(body) == EVENT.as_json()
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (EVENT.event, str(NOW))
    signed = f"{EVENT.event}.{NOW}.".encode() + body
    digest = hmac.new(SECRET, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_no_redirect_is_followed() -> None:
    with receiver() as elsewhere, receiver() as there:
        there.status, there.location = 307, elsewhere.url
        with pytest.raises(Refused) as refused:
            HERE.send(there.url, SECRET, EVENT, NOW)
    assert (refused.value.code, refused.value.status) == ("redirected", 307)
    assert (len(there.got), elsewhere.got) == (1, [])


@pytest.mark.parametrize("status", [400, 401, 404, 410, 500, 503])
def test_an_answer_that_is_no_success_is_a_failure(status: int) -> None:
    with receiver() as there:
        there.status = status
        with pytest.raises(Refused) as refused:
            HERE.send(there.url, SECRET, EVENT, NOW)
    assert (refused.value.code, refused.value.status) == ("answer-refused", status)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0", "[::ffff:127.0.0.1]"]
)
def test_this_machine_and_its_network_are_out_of_reach_however_they_are_written(host: str) -> None:
    with receiver() as there:
        port = there.url.rpartition(":")[2]
        for scheme in ("http", "https"):
            with pytest.raises(Undelivered) as refused:
                Sender(()).send(f"{scheme}://{host}:{port}", SECRET, EVENT, NOW)
            assert refused.value.code == "address-internal"
    assert there.got == []


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1"),
        *("::", "::1", "fe80::1", "fd00::1", "ff02::1", "240.0.0.1"),
        *("::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:a00:1::"),
    ],
)
def test_internal_addresses_are_not_of_the_internet_in_whatever_clothes(address: str) -> None:
    assert not is_public(ip_address(address))
    assert is_public(ip_address("2001:4860:4860::8888"))
    assert is_public(ip_address("1.1.1.1"))


def test_an_allowed_network_allows_its_own_addresses_and_no_others() -> None:
    networks = read_networks(["10.0.5.0/24", "fd00:1::/32"])
    for address in ("10.0.5.7", "::ffff:10.0.5.7", "fd00:1::7"):
        assert is_allowed(ip_address(address), networks)
    for address in ("10.0.6.7", "fd00:2::7", "127.0.0.1"):
        assert not is_allowed(ip_address(address), networks)


def test_the_address_that_was_checked_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that answers otherwise a moment later (DNS rebinding) leads nowhere else."""
    with receiver("127.0.0.2") as checked:
        port = int(checked.url.rpartition(":")[2].partition("/")[0])
        with receiver("127.0.0.1", port=port) as other:
            answers, real = iter(["127.0.0.2", "127.0.0.1"]), socket.getaddrinfo

            def rebinding(host: str, *rest: Any, **more: Any) -> Any:
                known = host == "rebinding.example"
                return real(next(answers) if known else host, *rest, **more)

            monkeypatch.setattr(socket, "getaddrinfo", rebinding)
            allowed = Sender(read_networks(["127.0.0.2/32"]))
            url = f"http://rebinding.example:{port}/"
            assert allowed.send(url, SECRET, EVENT, NOW) == 204
            with pytest.raises(Undelivered, match="internal"):
                allowed.send(url, SECRET, EVENT, NOW)
    assert (len(checked.got), other.got) == (1, [])
    assert checked.got[0][0]["host"] == f"rebinding.example:{port}"


def test_plain_http_goes_to_allowed_networks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public)
    with pytest.raises(Undelivered) as refused:
        HERE.send("http://plain.example/", SECRET, EVENT, NOW)
    assert refused.value.code == "address-internal"


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_of_the_estates_taken(
    tmp_path: Path,
) -> None:
    authority, stranger = Authority(), Authority()
    for which in (authority, stranger):
        (tmp_path / f"{which is authority}.pem").write_text(which.pem)
    with receiver(tls=authority.server_tls(tmp_path)) as there:
        trusting = Sender(HERE.networks, tmp_path / "True.pem")
        assert trusting.send(there.url, SECRET, EVENT, NOW) == 204
        for doubting in (HERE, Sender(HERE.networks, tmp_path / "False.pem")):
            with pytest.raises(Undelivered) as refused:
                doubting.send(there.url, SECRET, EVENT, NOW)
            assert refused.value.code == "tls-refused"
    assert len(there.got) == 1


def test_a_receiver_that_drips_is_left_when_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ATTEMPT_S", 0.5)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(Undelivered) as refused:
            HERE.send(f"http://127.0.0.1:{server.getsockname()[1]}/", SECRET, EVENT, NOW)
        stop.set()
        thread.join()
    assert refused.value.code == "timed-out"


def test_what_does_not_answer_or_is_not_known_has_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Undelivered) as refused:
        HERE.send(f"http://127.0.0.1:{port}/", SECRET, EVENT, NOW)
    assert refused.value.code == "unreachable"

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Undelivered) as refused:
        HERE.send("https://nowhere.example/", SECRET, EVENT, NOW)
    assert refused.value.code == "name-unknown"


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://example.org", "https://", "example.org", "https://a@example.org"),
        *("https://a:b@example.org/", "https://example.org/#top", "https://example.org:99999/"),
        "https://example.org/" + "a" * 500,
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(InputRefused):
        parse_url(url)
