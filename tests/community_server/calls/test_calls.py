"""Staff see who rings, and answer once: by opening with their password, or by a reason why not."""

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatehouse.local_estate import wait_for
from tests.community_server.bench import PASSWORD
from tests.community_server.opening_desk import Opening, code, connected
from tests.community_server.server_process import Desk, Server, run_server

STILL = b"\xff\xd8 a picture of somebody \xff\xd9" * 100


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("server") / "data"
    with run_server(data, database="", models=models) as running:
        desk = Desk(running)
        desk.set_up()
        desk.close()
        yield running


@pytest.fixture
def opening(server: Server, tmp_path: Path) -> Iterator[Opening]:
    with connected(server, "", tmp_path) as opening:
        yield opening


@pytest.fixture
def call(opening: Opening) -> Iterator[str]:
    """A call that the door goes on telling of."""
    call, over = secrets.token_hex(16), threading.Event()

    def ring() -> None:
        while not over.wait(0.2):
            opening.terminal.ring(call, STILL, 1500)

    thread = threading.Thread(target=ring)
    thread.start()
    wait_for("the call", lambda: calls(opening))
    yield call
    over.set()
    thread.join()


def calls(opening: Opening) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = opening.desk.call("GET", "/api/v1/calls")
    return [one for one in found if one["door"] == opening.door]


def test_a_call_is_listed_with_its_picture_which_nobody_keeps(
    opening: Opening, call: str, server: Server
) -> None:
    (shown,) = calls(opening)
    assert (shown["call"], shown["door_name"], shown["rung_s"]) == (call, "North gate", 1)
    still = opening.desk.http.get(f"/api/v1/calls/{call}/still")
    assert (still.content, still.headers["content-type"]) == (STILL, "image/jpeg")
    assert still.headers["cache-control"] == "no-store"
    files = [one for one in server.data.parent.rglob("*") if one.is_file()]
    assert [one for one in files if STILL[:200] in one.read_bytes()] == []
    assert code(opening.desk.http.get("/api/v1/calls/" + "0" * 32 + "/still")) == "still-unknown"


def test_without_signing_in_nobody_sees_who_rings(
    opening: Opening, call: str, server: Server
) -> None:
    del opening
    with server.client() as stranger:
        for path in ("/api/v1/calls", f"/api/v1/calls/{call}/still", f"/calls/{call}/still"):
            answer = stranger.get(path, headers={"hx-request": "true"})
            assert (answer.status_code, STILL in answer.content) == (401, False)


def test_opening_for_a_call_takes_the_password_and_names_the_call(
    opening: Opening, call: str
) -> None:
    path, body = f"/api/v1/calls/{call}/open", {"reason": "delivery", "note": "parcel"}
    wrong = opening.desk.http.post(path, json=body | {"password": PASSWORD[:-1]})
    assert code(wrong) == "password-not-yours"
    assert opening.terminal.nonces == 0
    answer = opening.desk.http.post(path, json=body | {"password": PASSWORD})
    assert answer.is_success, answer.text
    (order,) = opening.terminal.orders
    assert (order.call, order.nonce) == (call, answer.json()["entry"])
    (shown,) = opening.openings()
    assert (shown["call"], shown["reason"], shown["refused"]) == (call, "delivery", False)
    assert (shown["outcome"], shown["note"], shown["by"]) == ("opened", "parcel", "desk")


def test_a_refusal_needs_a_reason_and_is_recorded_before_and_after(
    opening: Opening, call: str
) -> None:
    path = f"/api/v1/calls/{call}/refuse"
    assert code(opening.desk.http.post(path, json={"reason": "visitor"})) == "reason-missing"
    assert opening.terminal.refusals == []
    assert opening.desk.http.post(path, json={"reason": "not-expected"}).status_code == 204
    (refusal,) = opening.terminal.refusals
    assert (refusal.call, refusal.reason) == (call, "not-expected")
    (shown,) = opening.openings()
    assert (shown["call"], shown["reason"], shown["refused"]) == (call, "not-expected", True)
    assert (shown["outcome"], shown["entry"]) == ("refused", refusal.entry)
    assert opening.audit() == [
        ("refuse-call", f"not-expected {refusal.entry}"),
        ("refuse-call-outcome", f"refused {refusal.entry}"),
    ]


@pytest.mark.parametrize("said", ["call-taken", "call-over"])
def test_who_comes_second_is_told_and_does_nothing(opening: Opening, call: str, said: str) -> None:
    opening.terminal.refusal = said
    body = {"password": PASSWORD, "reason": "visitor"}
    assert code(opening.desk.http.post(f"/api/v1/calls/{call}/open", json=body)) == said
    refuse = opening.desk.http.post(f"/api/v1/calls/{call}/refuse", json={"reason": "desk"})
    assert code(refuse) == said
    assert [one["outcome"] for one in opening.openings()] == [said, said]


def test_a_call_that_rings_no_more_cannot_be_answered(opening: Opening, call: str) -> None:
    other = secrets.token_hex(16)
    body = {"password": PASSWORD, "reason": "visitor"}
    assert code(opening.desk.http.post(f"/api/v1/calls/{other}/open", json=body)) == "call-over"
    refuse = opening.desk.http.post(f"/api/v1/calls/{other}/refuse", json={"reason": "desk"})
    assert code(refuse) == "call-over"
    assert (opening.terminal.nonces, opening.terminal.refusals, opening.openings()) == (0, [], [])
    assert [one["call"] for one in calls(opening)] == [call]


def test_a_lost_link_ends_the_call(opening: Opening) -> None:
    opening.terminal.ring(secrets.token_hex(16), STILL)
    wait_for("the call", lambda: calls(opening))
    opening.desk.call("DELETE", f"/api/v1/doors/{opening.door}")
    wait_for("its end", lambda: not calls(opening))
