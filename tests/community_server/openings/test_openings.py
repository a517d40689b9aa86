"""Staff open a door by their own password; what they meant and what came of it stays on record."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from gatehouse.local_estate import wait_for
from tests.community_server.bench import PASSWORD
from tests.community_server.opening_desk import Opening, code, connected
from tests.community_server.server_process import Desk, Server, run_server, start
from tests.support.databases import BOTH, postgresql_database
from tier_link.estate_messages import EntryRecorded, RemoteOpening

NOTE = "for the aunt of 3-1-502"


@pytest.fixture(scope="module", params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
        return
    with postgresql_database() as url:
        yield url


@pytest.fixture(scope="module")
def server(
    database: str, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("server") / "data"
    with run_server(data, database=database, models=models) as running:
        desk = Desk(running)
        desk.set_up()
        desk.close()
        yield running


@pytest.fixture
def opening(server: Server, database: str, tmp_path: Path) -> Iterator[Opening]:
    with connected(server, database, tmp_path) as opening:
        yield opening


def entry_of(order: RemoteOpening) -> EntryRecorded:
    return EntryRecorded(
        entry=order.nonce,
        door_sequence=1,
        at=int(time.time() * 1000),
        time_known=True,
        direction="in",
        person="",
        category="",
        credential="none",
        granted=True,
        reason="opened-remotely",
        matched="",
        took_ms=3,
        frames=0,
        by=order.staff,
    )


def test_the_entry_the_order_and_the_audit_name_who_opened_and_why(opening: Opening) -> None:
    answer = opening.ask(note=f"  {NOTE} ")
    assert answer.is_success, answer.text
    entry = answer.json()["entry"]
    (order,) = opening.terminal.orders
    assert order.nonce == entry
    opening.terminal.send(entry_of(order))

    def arrived() -> Any:
        rows = opening.desk.call("GET", "/api/v1/entries")["entries"]
        return [row for row in rows if row["entry"] == entry]

    (row,) = wait_for("the entry", arrived)
    assert (row["by"], row["why"]) == ("desk", "visitor")
    assert (row["reason"], row["person"]) == ("opened-remotely", "")
    (shown,) = opening.openings()
    assert (shown["by"], shown["reason"], shown["note"]) == ("desk", "visitor", NOTE)
    assert (shown["entry"], shown["outcome"]) == (entry, "opened")
    assert opening.audit() == [
        ("open-door", f"visitor {entry}"),
        ("open-door-outcome", f"opened {entry}"),
    ]


def test_what_staff_wrote_lies_sealed_in_the_database(opening: Opening) -> None:
    assert opening.ask(note=NOTE).is_success
    engine = sa.create_engine(opening.database)
    with engine.connect() as connection:
        query = sa.text("SELECT note FROM openings WHERE door_id = :door")
        (sealed,) = connection.execute(query, {"door": opening.door}).scalars()
    engine.dispose()
    assert len(sealed) > len(NOTE)
    assert b"aunt" not in bytes(sealed)


@pytest.mark.parametrize("outcome", ["gate-unreachable", "gate-refused", "gate-busy"])
def test_a_gate_that_fails_is_said_plainly(opening: Opening, outcome: str) -> None:
    opening.terminal.gate = outcome
    assert code(opening.ask()) == outcome
    assert [one["outcome"] for one in opening.openings()] == [outcome]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("nonce-unknown", "opening-refused"),
        ("opening-lapsed", "opening-refused"),
        ("not-configured", "opening-refused"),
        ("a-later-word", "opening-refused"),
        ("not-recordable", "not-recordable"),
        ("internal-error", "opening-unheard"),
    ],
)
def test_a_door_that_refuses_is_not_asked_again(opening: Opening, refusal: str, said: str) -> None:
    opening.terminal.refusal = refusal
    assert code(opening.ask()) == said
    assert len(opening.terminal.orders) == 1
    expected = "unheard" if said == "opening-unheard" else refusal
    assert [one["outcome"] for one in opening.openings()] == [expected]


def test_a_door_that_says_nothing_may_have_opened_and_that_is_what_is_said(
    opening: Opening,
) -> None:
    opening.terminal.mute.clear()
    assert code(opening.ask()) == "opening-unheard"
    assert [one["outcome"] for one in opening.openings()] == ["unheard"]
    assert len(opening.audit()) == 2
    assert len(opening.terminal.orders) == 1


def test_a_door_without_a_link_is_not_asked(opening: Opening) -> None:
    opening.desk.call("DELETE", f"/api/v1/doors/{opening.door}")
    assert code(opening.ask()) == "opening-away"
    assert (opening.openings(), opening.audit()) == ([], [])


def test_without_a_reason_nothing_is_asked_of_the_door(opening: Opening) -> None:
    assert code(opening.ask(reason="")) == "reason-missing"
    assert code(opening.ask(reason="because")) == "reason-missing"
    assert code(opening.ask(reason="other", note=" ")) == "note-missing"
    assert code(opening.ask(note="x" * 201)) == "note-long"
    assert opening.ask(reason="other", note="x").is_success
    assert opening.terminal.nonces == 1


def test_another_session_may_not_write_and_an_unknown_door_is_none(opening: Opening) -> None:
    path = f"/api/v1/doors/{opening.door}/open"
    body = {"password": PASSWORD, "reason": "visitor"}
    token = opening.desk.http.headers.pop("x-csrf-token")
    assert code(opening.desk.http.post(path, json=body)) == "csrf-wrong"
    opening.desk.http.headers["x-csrf-token"] = token
    unknown = f"/api/v1/doors/{secrets.token_hex(16)}/open"
    assert code(opening.desk.http.post(unknown, json=body)) == "door-unknown"
    assert opening.terminal.nonces == 0


@pytest.mark.long
def test_a_server_that_dies_while_the_door_is_asked_leaves_the_order_on_record(
    models: Path, tmp_path: Path
) -> None:
    data = tmp_path / "server" / "data"
    dying = start(data, database="", models=models)
    assert dying.stdout is not None
    server = Server(dying, dying.stdout.readline().split()[1], data)
    desk = Desk(server)
    desk.set_up()
    desk.close()
    with connected(server, "", tmp_path) as opening:
        opening.terminal.mute.clear()
        with contextlib.suppress(httpx.TransportError, httpx.TimeoutException):
            opening.desk.http.post(
                f"/api/v1/doors/{opening.door}/open",
                json={"password": PASSWORD, "reason": "delivery"},
                timeout=2,
            )
        dying.kill()
        dying.wait()
        (order,) = opening.terminal.orders
        assert opening.audit() == [("open-door", f"delivery {order.nonce}")]
        door = opening.door
    for pipe in (dying.stdout, dying.stderr):
        if pipe is not None:
            pipe.close()
    with run_server(data, database="", models=models) as again:
        desk = Desk(again)
        desk.sign_in()
        (shown,) = desk.call("GET", f"/api/v1/openings?door={door}")
        assert (shown["entry"], shown["outcome"]) == (order.nonce, "")
        desk.close()


@pytest.mark.long
def test_wrong_passwords_ask_nothing_of_the_door_and_have_to_wait(
    models: Path, tmp_path: Path
) -> None:
    """Last, on a server of its own: the name has to wait afterwards."""
    data = tmp_path / "server" / "data"
    with run_server(data, database="", models=models) as server:
        desk = Desk(server)
        desk.set_up()
        desk.close()
        with connected(server, "", tmp_path) as opening:
            said = [code(opening.ask(password=PASSWORD[:-1])) for _ in range(6)]
            assert said == ["password-not-yours"] * 5 + ["too-many-attempts"]
            assert code(opening.ask()) == "too-many-attempts"
            assert opening.terminal.nonces == 0
            assert opening.audit() == []
