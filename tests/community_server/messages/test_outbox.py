"""Messages leave by real gateways, slowly enough, once; their text stays only until they have."""

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from community_server.database import now
from community_server.erasure import remove_person
from community_server.estate import Estate
from community_server.messages.gateways import (
    Gateway,
    HttpGateway,
    Letter,
    MailGateway,
    NotSent,
    sign,
)
from community_server.messages.sender import Sender
from community_server.messages.service import RETRIES_S, ShownMessage, list_messages, queue
from community_server.messages.tables import OutgoingMessage
from gatehouse.local_estate import free_port
from tests.community_server.bench import Bench
from tests.community_server.traces import traces
from tests.door_terminal.estate import Authority
from tests.support.mailbox import Mailbox

LINK = "https://cloud.example/c/estate/enroll#secret-of-the-link"
SECRET = b"between the two of us"


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    del server, session, envelope, mechanism
    known = LoginPassword(b"desk", b"right")
    return AuthResult(success=data == known, handled=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("authority")
    made = Authority.make(folder, days=1)
    ca = folder / "ca.pem"
    ca.write_text(made.ca_pem)
    return ca, made.server_tls


@pytest.fixture
def mail(authority: tuple[Path, ssl.SSLContext]) -> Iterator[tuple[Mailbox, MailGateway]]:
    ca, tls = authority
    box, port = Mailbox(), free_port()
    server = Controller(
        box,
        hostname="127.0.0.1",
        port=port,
        tls_context=tls,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    server.start()
    try:
        yield box, MailGateway("127.0.0.1", port, "starttls", ca, "desk", "right", "gate@e.org")
    finally:
        server.stop()


@contextmanager
def text_gateway(*answers: int) -> Iterator[tuple[list[dict[str, Any]], str]]:
    """Serve one real HTTP gateway that gives these answers in turn, the last for ever."""
    taken: list[dict[str, Any]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            right = sign(SECRET, self.headers["x-gatehouse-time"], body)
            assert self.headers["x-gatehouse-signature"] == right
            taken.append(json.loads(body))
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.send_header("location", "http://127.0.0.1:9/")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield taken, f"http://127.0.0.1:{server.server_port}/send"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def put(bench: Bench, channel: Any, to: str, *, until: int = 86400) -> tuple[str, str]:
    _, person = bench.invite(name="Ada")
    with bench.estate.changer.change() as change:
        text = f"Enroll: {LINK}"
        number = queue(change, person, channel, to, "Access / 通行", text, now() + until)
    return number, person


def sender(estate: Estate, *, per_minute: int = 100, **gateways: Gateway) -> Sender:
    return Sender(estate.engine, estate.changer, gateways, per_minute)  # type: ignore[arg-type]  # channels


def state(estate: Estate, message: str) -> ShownMessage:
    with estate.reading() as session:
        return next(one for one in list_messages(session, 1000) if one.id == message)


def make_due(estate: Estate, message: str) -> None:
    with estate.changer.change() as change:
        change.session.get_one(OutgoingMessage, message).due_at = now()


def test_a_mail_goes_out_over_tls_and_leaves_no_link_behind(
    bench: Bench, mail: tuple[Mailbox, MailGateway]
) -> None:
    box, gateway = mail
    message, person = put(bench, "mail", "ada@example.org")
    folder = Path(bench.estate.settings.data)
    assert traces(bench.estate, folder, [LINK.encode(), b"ada@example.org"]) == []
    sender(bench.estate, mail=gateway).send_due()
    (data,) = box.mails
    got = message_from_bytes(data, policy=policy.default)
    assert (got["to"], got["subject"]) == ("ada@example.org", "Access / 通行")
    assert got["message-id"] == f"<{message}@e.org>"
    assert LINK in got.get_content()
    assert state(bench.estate, message).state == "sent"
    with bench.estate.reading() as session:
        assert session.get_one(OutgoingMessage, message).sealed is None
    sender(bench.estate, mail=gateway).send_due()
    assert len(box.mails) == 1
    with bench.estate.changer.change() as change:
        remove_person(change, bench.estate.links, person)
    with bench.estate.reading() as session:
        assert person not in {one.person for one in list_messages(session, 1000)}


@pytest.mark.parametrize(
    ("reply", "final"), [("550 no such mailbox", True), ("450 try later", False)]
)
def test_an_address_that_is_refused_for_good_is_not_tried_again(
    bench: Bench, mail: tuple[Mailbox, MailGateway], reply: str, *, final: bool
) -> None:
    box, gateway = mail
    box.refusal = reply
    message, _ = put(bench, "mail", "nobody@example.org")
    sender(bench.estate, mail=gateway).send_due()
    seen = state(bench.estate, message)
    assert (seen.state, seen.why) == ("failed" if final else "queued", "address-refused")
    box.refusal = ""
    make_due(bench.estate, message)
    sender(bench.estate, mail=gateway).send_due()
    assert len(box.mails) == (0 if final else 1)


def test_a_wrong_password_and_a_stranger_for_a_server_send_nothing(
    mail: tuple[Mailbox, MailGateway],
) -> None:
    box, gateway = mail
    letter = Letter("0" * 32, "a@example.org", "s", "t")
    for user, ca, code in (
        ("stranger", gateway.ca, "mail-login-refused"),
        ("desk", None, "gateway-untrusted"),
    ):
        wrong = MailGateway("127.0.0.1", gateway.port, "starttls", ca, user, "right", "g@e.org")
        with pytest.raises(NotSent) as failure:
            wrong.send(letter)
        assert (failure.value.code, failure.value.final) == (code, False)
    with pytest.raises(NotSent) as failure:
        gateway.send(Letter("0" * 32, "a@example.org\r\nBcc: b@example.org", "s", "t"))
    assert (failure.value.code, failure.value.final) == ("address-refused", True)
    assert box.mails == []


def test_a_text_message_is_signed_tried_again_and_sent_under_one_id(bench: Bench) -> None:
    with text_gateway(503, 302, 200) as (taken, url):
        gateway = HttpGateway(url, SECRET, None)
        message, _ = put(bench, "sms", "13800138000")
        sender(bench.estate, sms=gateway).send_due()
        seen = state(bench.estate, message)
        assert (seen.state, seen.why, seen.attempts) == ("queued", "gateway-refused", 1)
        assert now() + RETRIES_S[0] - 5 <= seen.due_at <= now() + RETRIES_S[0]
        sender(bench.estate, sms=gateway).send_due()
        assert len(taken) == 1
        make_due(bench.estate, message)
        sender(bench.estate, sms=gateway).send_due()
        assert state(bench.estate, message).state == "failed"
    assert [one["id"] for one in taken] == [message, message]
    assert taken[0]["to"] == "13800138000"
    assert LINK in taken[0]["text"]


def test_what_no_gateway_takes_in_time_is_given_up(bench: Bench) -> None:
    gateway = HttpGateway("http://127.0.0.1:9/", SECRET, None)
    short, _ = put(bench, "sms", "1", until=30)
    long, _ = put(bench, "sms", "2")
    sender(bench.estate, sms=gateway).send_due()
    assert (state(bench.estate, short).state, state(bench.estate, short).why) == (
        "failed",
        "gateway-away",
    )
    for _ in RETRIES_S:
        assert state(bench.estate, long).state == "queued"
        make_due(bench.estate, long)
        sender(bench.estate, sms=gateway).send_due()
    assert state(bench.estate, long).state == "failed"


def test_no_more_go_out_in_a_minute_than_the_estate_allows(bench: Bench) -> None:
    with text_gateway(200) as (taken, url):
        for number in range(3):
            put(bench, "sms", str(number))
        one = sender(bench.estate, per_minute=2, sms=HttpGateway(url, SECRET, None))
        one.send_due()
        one.send_due()
        assert len(taken) == 2


def test_without_gateways_nothing_runs(bench: Bench) -> None:
    asyncio.run(sender(bench.estate).run())
