"""The server's routes that need no sign-in, against the written table of what bounds them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.app import MAX_BODY, make_app
from community_server.estate import Estate, open_estate
from community_server.settings import Settings
from community_server.setup.community import get_community
from community_server.staff.hashing import AT_ONCE, MOST_IN_LINE
from community_server.staff.passwords import LINE
from community_server.staff.tables import StaffMember
from community_server.staff.tickets import issue_ticket
from face_engine.models import default_folder
from tests.community_server.bench import Bench, prepare
from tests.community_server.staff.walker import TABLE as EVERYBODY
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
from tier_link.relay_messages import MAX_SEALED
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD, SUITE_NAME

LINES: Final = read_table("server")
BASE: Final = "https://gatehouse.test"
PASSWORD: Final = "long enough for anybody"  # noqa: S105 -- of a test
SMALLEST: Final = PADDED_SIZES[0] + SEAL_OVERHEAD
BODIES: Final[Mapping[str, Mapping[str, str]]] = {
    "/login": {"username": "desk", "password": PASSWORD},
    "/api/v1/session": {"username": "desk", "password": PASSWORD},
    "/welcome/{secret}": {"new_password": PASSWORD},
    "/api/v1/account/link": {"secret": "none", "new_password": PASSWORD},
    "/login/code": {"own_code": "000000"},
    "/setup": {
        "code": "none",
        "community_name": "Court",
        "username": "desk",
        "password": PASSWORD,
    },
}


class Stranger:
    """Somebody on the estate's network, with an invitation that nobody knows of."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.caller = Caller(make_app(estate), BASE)
        self.values = {"secret": "none", "community": "none", "envelope": "0" * 32}
        self.values["invitation"] = "0" * 32

    def invited(self, bench: Bench) -> None:
        invitation, _ = bench.invite()
        with Session(self.estate.engine) as session:
            community = get_community(session).slug
        self.values |= {"community": community, "invitation": invitation.id}

    def ticket(self) -> str:
        with self.estate.changer.change() as change:
            staff = change.session.scalars(select(StaffMember.id)).one()
            return issue_ticket(change.session, staff, "code", 300)

    def ask(self, line: Line, **more: Any) -> httpx.Response:
        path = line.path.format(**self.values)
        if line.method == "PUT":
            invitation = self.values["invitation"]
            path += f"?invitation={invitation}&key=k1&suite={SUITE_NAME}"
            more.setdefault("headers", {"content-type": "application/octet-stream"})
            more.setdefault("content", bytes(SMALLEST))
        elif line.method == "POST" and "content" not in more:
            fields = dict(BODIES[line.path.replace("/api/v1/setup", "/setup")])
            if line.path == "/login/code":
                fields["ticket"] = self.ticket()
            more["json" if line.path.startswith("/api/") else "data"] = fields
        return self.caller.ask(line.method, path, **more)


@pytest.fixture(scope="module")
def stranger(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    estate = open_estate(Settings(data=tmp_path_factory.mktemp("server"), models=models))
    prepare(estate)
    made = Stranger(estate)
    made.invited(Bench(estate))
    yield made
    made.caller.runner.close()
    estate.close()


@pytest.fixture(scope="module")
def models() -> Path:
    return default_folder()


@pytest.fixture(scope="module")
def newcomer(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    """Somebody before whom nobody has set the server up."""
    estate = open_estate(Settings(data=tmp_path_factory.mktemp("fresh"), models=models))
    made = Stranger(estate)
    yield made
    made.caller.runner.close()
    estate.close()


def bucket(name: str) -> Callable[[Stranger, Line], None]:
    def prove(stranger: Stranger, line: Line) -> None:
        estate = stranger.estate
        limit = {
            "requests": estate.addresses.requests,
            "links": estate.addresses.links,
            "pairings": estate.addresses.pairings,
            "reads": estate.form_limits.reads,
            "uploads": estate.form_limits.uploads,
        }[name]
        if line.method == SOCKET:
            drained_socket(limit, lambda: stranger.caller.knock(line.path))
        else:
            # A body that no route takes: what it refuses costs nothing.
            drained(limit, lambda: stranger.ask(line, content=b""))

    return prove


def body(stranger: Stranger, line: Line) -> None:
    most = MAX_SEALED if line.method == "PUT" else MAX_BODY
    assert stranger.ask(line, content=bytes(most + 1)).status_code == 413
    endless = {"transfer-encoding": "chunked", "content-type": "application/octet-stream"}
    if line.method != "PUT":
        assert stranger.ask(line, content=b"", headers=endless).status_code == 413


def failures(name: str) -> Callable[[Stranger, Line], None]:
    def prove(stranger: Stranger, line: Line) -> None:
        key = f"{name}:{stranger.caller.address}"
        for _ in range(5):
            stranger.estate.backoff.fail(key)
        try:
            refused = stranger.ask(line)
        finally:
            stranger.estate.backoff.succeed(key)
        assert (refused.status_code, code_of(refused)) == (429, "too-many-attempts")

    return prove


def space(stranger: Stranger, line: Line) -> None:
    bodies = stranger.estate.form_limits.bodies
    with bodies.hold(bodies.limit):
        refused = stranger.ask(line)
    assert (refused.status_code, code_of(refused)) == (503, "cloud-busy")


def line_of_photos(stranger: Stranger, line: Line) -> None:
    waiting = stranger.estate.form_limits.line
    waiting._in_line = 8
    try:
        refused = stranger.ask(line)
    finally:
        waiting._in_line = 0
    assert (refused.status_code, code_of(refused)) == (503, "cloud-busy")


@contextmanager
def full() -> Iterator[None]:
    LINE._here = AT_ONCE + MOST_IN_LINE
    try:
        yield
    finally:
        LINE._here = 0


def hashing(stranger: Stranger, line: Line) -> None:
    with full():
        refused = stranger.ask(line)
    assert (refused.status_code, code_of(refused)) == (429, "too-many-attempts")


PROOFS: Final[Mapping[str, Callable[[Stranger, Line], None]]] = {
    **{name: bucket(name) for name in ("requests", "reads", "uploads", "links", "pairings")},
    **{name: failures(name) for name in ("address", "link")},
    "code": failures("setup"),
    "body": body,
    "space": space,
    "line": line_of_photos,
    "hashing": hashing,
}


def test_the_table_has_every_route_that_needs_no_sign_in_and_no_other() -> None:
    served = {(line.method, line.path) for line in EVERYBODY if line.who in {"public", "door"}}
    assert {line.route for line in LINES} == served
    assert len(LINES) == len(served)
    assert explained("server") == set(PROOFS)


@pytest.mark.parametrize(
    ("line", "word"), [(line, word) for line in LINES for word in line.words], ids=str
)
def test_every_limit_in_the_table_bites(
    stranger: Stranger, newcomer: Stranger, line: Line, word: str
) -> None:
    PROOFS[word](newcomer if word == "code" else stranger, line)


def test_whatever_an_address_asks_it_is_bounded_before_any_route(stranger: Stranger) -> None:
    limit = stranger.estate.addresses.requests
    usual, limit.per_minute = limit.per_minute, 0.001  # type: ignore[assignment]  # never again
    try:
        for line in EVERYBODY:
            if line.method != SOCKET:
                refused = stranger.caller.ask(line.method, line.address())
                assert (refused.status_code, code_of(refused)) == (429, "rate-limited"), line
        assert stranger.caller.ask("GET", "/leads/nowhere").status_code == 429
        assert stranger.caller.ask("BREW", "/").status_code == 429
    finally:
        limit.per_minute = usual
        limit._levels.clear()


def test_no_header_makes_somebody_another_address(stranger: Stranger) -> None:
    """Nothing stands before the server: what a request says of its sender counts for nothing."""

    def ask(number: int) -> httpx.Response:
        claimed = {
            "x-forwarded-for": f"198.51.100.{number}",
            "forwarded": f"for=203.0.113.{number}",
        }
        return stranger.caller.ask("GET", "/health", headers=claimed)

    answers = iter((1, 2))
    drained(stranger.estate.addresses.requests, lambda: ask(next(answers)))
