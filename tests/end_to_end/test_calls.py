"""Two guards and one call, between a real server and a real door: one answer, one opening."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.community_server.bench import PASSWORD
from tests.community_server.server_process import Desk, run_server
from tests.door_terminal.estate import eventually
from tests.door_terminal.processes import Door, gatehouse, running_door

pytestmark = pytest.mark.long

OPENING = {"password": PASSWORD, "reason": "visitor"}


@dataclass
class Guarded:
    """A door, and two guards at the desk."""

    door: Door
    name: str
    guards: tuple[Desk, Desk]

    def ring(self) -> str:
        call: str = self.door.ring()["call"]
        eventually(lambda: call in [one["call"] for one in self.call("GET", "/api/v1/calls")])
        return call

    def call(self, method: str, path: str, body: object = None) -> Any:
        return self.guards[0].call(method, path, body)

    def both(self, *answers: tuple[str, dict[str, str]]) -> list[httpx.Response]:
        """Let both answer at once."""
        with ThreadPoolExecutor(2) as pool:
            asked = [
                pool.submit(guard.http.post, f"/api/v1/calls/{path}", json=body)
                for guard, (path, body) in zip(self.guards, answers, strict=True)
            ]
            return [one.result() for one in asked]

    def entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/api/v1/entries")["entries"]
        return found


@pytest.fixture
def guarded(models: Path, tmp_path: Path) -> Iterator[Guarded]:
    with run_server(tmp_path / "server" / "data", database="", models=models) as server:
        guards = Desk(server), Desk(server)
        guards[0].set_up()
        for guard in guards:
            guard.sign_in()
        name = guards[0].call("POST", "/api/v1/doors", {"name": "North gate"})["door"]
        code = guards[0].call("POST", f"/api/v1/doors/{name}/pairing")["code"]
        data = tmp_path / "door" / "data"
        paired = gatehouse(
            *("door", "pair", "--server", server.url, "--code", code, "--data", str(data)),
            cwd=tmp_path,
        )
        assert paired.returncode == 0, paired.stderr
        with running_door(data) as door:
            eventually(lambda: guards[0].call("GET", "/api/v1/doors")[0]["in_step"])
            yield Guarded(door, name, guards)
        for guard in guards:
            guard.close()


def code(answer: httpx.Response) -> str:
    said: str = "" if answer.is_success else answer.json()["error"]["code"]
    return said


def test_of_two_guards_who_open_at_once_one_does_and_the_other_is_told(guarded: Guarded) -> None:
    for turn in range(1, 4):
        call = guarded.ring()
        first, second = guarded.both(*[(f"{call}/open", OPENING)] * 2)
        codes = sorted([code(first), code(second)])
        assert codes[0] == ""
        assert codes[1] in {"call-taken", "call-over"}
        assert len(guarded.door.openings()) == turn
    eventually(lambda: len(guarded.entries()) == 3)
    assert {one["entry"] for one in guarded.entries()} == set(guarded.door.openings())
    assert {(one["by"], one["why"]) for one in guarded.entries()} == {("desk", "visitor")}


def test_who_opens_and_who_refuses_at_once_do_not_both(guarded: Guarded) -> None:
    call = guarded.ring()
    opened, refused = guarded.both(
        (f"{call}/open", OPENING), (f"{call}/refuse", {"reason": "desk"})
    )
    assert sorted([bool(code(opened)), bool(code(refused))]) == [False, True]
    eventually(lambda: len(guarded.entries()) == 1)
    (entry,) = guarded.entries()
    assert entry["granted"] is opened.is_success
    assert guarded.door.openings() == ([entry["entry"]] if opened.is_success else [])
    assert guarded.door.state()["call"]["state"] == ("opened" if opened.is_success else "refused")


def test_staff_let_somebody_in_while_the_estate_is_locked_down(guarded: Guarded) -> None:
    declared = {"active": True, "reason": "drill", "password": PASSWORD}
    guarded.call("POST", "/api/v1/lockdown", declared)
    eventually(lambda: guarded.door.state()["locked_down"])
    call = guarded.ring()
    answer = guarded.call("POST", f"/api/v1/calls/{call}/open", OPENING)
    assert guarded.door.openings() == [answer["entry"]]
    path = f"/api/v1/doors/{guarded.name}/open"
    second = guarded.call("POST", path, {"password": PASSWORD, "reason": "emergency"})
    assert guarded.door.openings() == [answer["entry"], second["entry"]]
