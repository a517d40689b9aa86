"""The routes of the door's own page against the written table of what bounds them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import httpx
import pytest
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from door_terminal.credentials.backoff import UNIT_PATIENCE
from door_terminal.screen import guard
from door_terminal.screen.app import build_app, screen_routes
from door_terminal.screen.bodies import MAX_BODY
from door_terminal.terminal import Terminal
from tests.door_terminal.samples import QUICK, configured
from tests.door_terminal.screen.test_app import OWN, PORT, opened
from tests.limits.tables import Caller, Line, code_of, explained, read_table

LINES: Final = read_table("door")
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "/pin": {"unit": "3-1-1201", "pin": "000000"},
    "/fire/end": {"pin": "000000"},
    "/renewal": {"offer": "0d" * 16, "agreed": True, "language": "en"},
    "/call": {},
    "/call/cancel": {"call": "0d" * 16},
}


class Program:
    """Something on the terminal that is not the page."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.caller = Caller(build_app(terminal, PORT), OWN, "127.0.0.1")

    def ask(self, line: Line, **more: Any) -> httpx.Response:
        if line.method == "POST" and "content" not in more:
            more["json"] = BODIES[line.path]
        return self.caller.ask(line.method, line.path.format(name="none.css"), **more)

    def told(self, line: Line) -> dict[str, Any]:
        answered = self.ask(line)
        assert answered.status_code == 200
        told: dict[str, Any] = answered.json()
        return told


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with opened(tmp_path_factory.mktemp("door")) as terminal:
        with Session(terminal.engine) as session, session.begin():
            terminal.configuration.take(session, configured(reset_pin=QUICK.hash("604318")))
        made = Program(terminal)
        yield made
        made.caller.runner.close()


def bucket(name: str) -> Callable[[Program, Line, pytest.MonkeyPatch], None]:
    def prove(program: Program, line: Line, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(guard, name, 1)
        # The rate is the application's: one made anew has the number that it found.
        fresh = Program(program.terminal)
        first, second = (fresh.ask(line, content=b"") for _ in range(2))
        fresh.caller.runner.close()
        assert first.status_code != 429
        assert (second.status_code, code_of(second)) == (429, "rate-limited")
        assert int(second.headers["retry-after"]) > 0

    return prove


def body(program: Program, line: Line, _patch: pytest.MonkeyPatch) -> None:
    headers = {"content-type": "application/json"}
    refused = program.ask(line, content=b" " * (MAX_BODY + 1), headers=headers)
    assert (refused.status_code, code_of(refused)) == (413, "too-large")


def pins(program: Program, line: Line, _patch: pytest.MonkeyPatch) -> None:
    waits = [program.told(line)["wait_s"] for _ in range(UNIT_PATIENCE.free + 2)]
    assert waits[: UNIT_PATIENCE.free] == [0] * UNIT_PATIENCE.free
    assert 0 < waits[-1] <= UNIT_PATIENCE.first_s


def staff(program: Program, line: Line, _patch: pytest.MonkeyPatch) -> None:
    assert "no fire release" in program.told(line)["message"]["en"]
    program.terminal.alarms.put(AlarmKind.FIRE, active=True)
    texts = [program.told(line)["message"]["en"] for _ in range(UNIT_PATIENCE.free + 2)]
    assert "Next try in" not in texts[0]
    assert "Next try in" in texts[-1]
    program.terminal.alarms.put(AlarmKind.FIRE, active=False)


def ringing(program: Program, line: Line, _patch: pytest.MonkeyPatch) -> None:
    calls = program.terminal.calls
    usual, calls._connected = calls._connected, lambda: True
    calls.ring()
    first = calls.ringing
    program.told(line)  # rings again; or ends one that is not this
    calls._connected = usual
    assert first is not None
    assert calls.ringing == first


def offer(program: Program, line: Line, _patch: pytest.MonkeyPatch) -> None:
    assert program.terminal.renewals.offer is None
    assert program.told(line)["granted"] is False


PROOFS: Final[Mapping[str, Callable[[Program, Line, pytest.MonkeyPatch], None]]] = {
    "reads": bucket("READS_PER_MINUTE"),
    "writes": bucket("WRITES_PER_MINUTE"),
    "body": body,
    "pins": pins,
    "staff": staff,
    "ringing": ringing,
    "offer": offer,
}


def test_the_table_has_every_route_and_no_other(program: Program) -> None:
    served = {
        (method, route.path)
        for route in screen_routes(program.terminal)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {line.route for line in LINES} == served
    assert len(LINES) == len(served)
    assert explained("door") == set(PROOFS)


@pytest.mark.parametrize(
    ("line", "word"), [(line, word) for line in LINES for word in line.words], ids=str
)
def test_every_limit_in_the_table_bites(
    program: Program, line: Line, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    PROOFS[word](program, line, monkeypatch)
