"""The cloud's routes, none of which needs a sign-in, against the table of what bounds them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import WebSocketRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from enrollment_cloud.app import create_app
from enrollment_cloud.communities.profiles import publish_profile
from enrollment_cloud.context import Cloud
from enrollment_cloud.enrollment.uploads import MAX_FORM
from enrollment_cloud.limits import MAX_HANDSHAKES
from enrollment_cloud.operators.routes import MAX_FORM_BYTES
from enrollment_cloud.settings import Settings
from tests.enrollment_cloud.samples import CommunityKeys, populate
from tests.limits.tables import (
    SOCKET,
    Caller,
    Line,
    code_of,
    drained,
    drained_socket,
    explained,
    read_table,
)
from tier_link.invitations import new_invitation
from tier_link.relay_messages import MAX_SEALED
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD, SUITE_NAME

LINES: Final = read_table("cloud")
BASE: Final = "https://cloud.test"
FORM: Final = "multipart/form-data; boundary=gate"


class Stranger:
    """Somebody on the internet who has an invitation to a community that takes unsealed uploads."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.cloud: Cloud = app.state.cloud
        self.caller = Caller(app, BASE)
        keys = CommunityKeys()
        self.invitation = new_invitation(keys.fingerprint)
        with self.cloud.database.write.begin() as session:
            populate(session, keys, self.invitation)
            publish_profile(session, keys.community, keys.profile(unsealed=True))
        self.values = {
            "community": keys.community,
            "invitation": self.invitation.id,
            "envelope": "0d" * 16,
            "name": "none.css",
        }

    def ask(self, line: Line, **more: Any) -> httpx.Response:
        path = line.path.format(**self.values)
        kind = "application/octet-stream"
        if line.method == "PUT":
            path += f"?invitation={self.invitation.id}&key=w1&suite={SUITE_NAME}"
            more.setdefault("content", bytes(PADDED_SIZES[0] + SEAL_OVERHEAD))
        elif line.method == "POST":
            kind = FORM
            more.setdefault("content", b"--gate--\r\n")
        return self.caller.ask(line.method, path, headers={"content-type": kind}, **more)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    made = Stranger(create_app(Settings(data=tmp_path_factory.mktemp("cloud"))))
    yield made
    made.caller.runner.close()
    made.cloud.database.engine.dispose()


def bucket(name: str) -> Callable[[Stranger, Line], None]:
    def prove(stranger: Stranger, line: Line) -> None:
        limit = getattr(stranger.cloud, name)
        if line.method == SOCKET:
            drained_socket(limit, lambda: stranger.caller.knock(line.path))
        else:
            drained(limit, lambda: stranger.ask(line, content=b""))

    return prove


def body(stranger: Stranger, line: Line) -> None:
    most = MAX_SEALED if line.method == "PUT" else MAX_FORM
    refused = stranger.ask(line, content=bytes(most + 1))
    assert (refused.status_code, code_of(refused)) == (413, "body-too-large")


def space(stranger: Stranger, line: Line) -> None:
    bodies = stranger.cloud.bodies
    with bodies.hold(bodies.limit):
        refused = stranger.ask(line)
    assert (refused.status_code, code_of(refused)) == (503, "cloud-busy")


def handshakes(stranger: Stranger, line: Line) -> None:
    hub = stranger.cloud.hub
    hub._shaking = MAX_HANDSHAKES
    try:
        assert stranger.caller.knock(line.path) == ["websocket.close"]
    finally:
        hub._shaking = 0
    assert stranger.caller.knock(line.path)[0] == "websocket.accept"


def form(stranger: Stranger, line: Line) -> None:
    refused = stranger.ask(line, content=b"key=" + bytes(MAX_FORM_BYTES))
    assert (refused.status_code, code_of(refused)) == (413, "body-too-large")


def share(stranger: Stranger, line: Line) -> None:
    shares, community = stranger.cloud.shares, stranger.values["community"]
    with ExitStack() as others:
        for _ in range(shares.each):
            others.enter_context(shares.take(community))
        refused = stranger.ask(line)
        with shares.take("another-court-1111"):
            pass  # has its own
    assert (refused.status_code, code_of(refused)) == (503, "cloud-busy")
    assert code_of(stranger.ask(line)) != "cloud-busy"


PROOFS: Final[Mapping[str, Callable[[Stranger, Line], None]]] = {
    **{name: bucket(name) for name in ("requests", "reads", "uploads", "pairings")},
    "links": bucket("reads"),
    "handshakes": handshakes,
    "signins": bucket("sign_ins"),
    "form": form,
    "body": body,
    "share": share,
    "space": space,
}


def test_the_table_has_every_route_and_no_other(stranger: Stranger) -> None:
    served = set()
    for context in iter_route_contexts(stranger.app.routes):
        if isinstance(context.original_route, WebSocketRoute):
            served.add((SOCKET, context.path or ""))
        else:
            methods = (context.methods or set()) - {"HEAD"}
            served |= {(method, context.path or "") for method in methods}
    assert {line.route for line in LINES} == served
    assert len(LINES) == len(served)
    assert explained("cloud") == set(PROOFS)


@pytest.mark.parametrize(
    ("line", "word"), [(line, word) for line in LINES for word in line.words], ids=str
)
def test_every_limit_in_the_table_bites(stranger: Stranger, line: Line, word: str) -> None:
    PROOFS[word](stranger, line)


def asking_by(stranger: Stranger, *, trusted: str) -> Callable[[int], httpx.Response]:
    """Ask behind a proxy's header, at a cloud that trusts this proxy; `stranger` is the proxy."""
    app: Any = stranger.app
    proxied = ProxyHeadersMiddleware(app, trusted_hosts=trusted)
    caller = Caller(proxied, BASE, runner=stranger.caller.runner)

    def ask(number: int) -> httpx.Response:
        return caller.ask("GET", "/health", headers={"x-forwarded-for": f"198.51.100.{number}"})

    return ask


def test_only_the_proxy_that_is_set_says_who_asks(stranger: Stranger) -> None:
    limit = stranger.cloud.requests
    ask, answers = asking_by(stranger, trusted="10.0.0.1"), iter((1, 2))
    drained(limit, lambda: ask(next(answers)))
    ask = asking_by(stranger, trusted=stranger.caller.address)
    usual, limit.per_minute = limit.per_minute, 1
    assert [ask(number).status_code for number in (1, 2, 2)] == [200, 200, 429]
    limit.per_minute = usual


def test_a_providers_customer_counts_once_whatever_addresses_they_have(stranger: Stranger) -> None:
    limit = stranger.cloud.requests
    usual, limit.per_minute = limit.per_minute, 1
    limit._levels.clear()
    seen = []
    for address in ("2001:db8:7:7::1", "2001:db8:7:7:ffff::2", "2001:db8:7:8::1"):
        caller = Caller(stranger.app, BASE, address, stranger.caller.runner)
        seen.append(caller.ask("GET", "/health").status_code)
    limit.per_minute = usual
    assert seen == [200, 429, 200]
