"""Reading the written tables, asking an application as somebody does, and what a limit answers."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tier_kit.forms.limits import RateLimit

App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
SOCKET: Final = "SOCKET"
_LINE: Final = re.compile(r"^([A-Z]+) +(/\S*) +([a-z ]+)$")


@dataclass(frozen=True)
class Line:
    """A route and the words that bound it."""

    method: str
    path: str
    words: tuple[str, ...]

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def read_table(tier: str) -> list[Line]:
    text = Path(__file__).with_name(f"{tier}.txt").read_text("utf-8")
    found = [_LINE.match(line) for line in text.splitlines() if line and line[0] != "#"]
    assert all(found), f"{tier}.txt has a line that is none"
    return [Line(match[1], match[2], tuple(match[3].split())) for match in found if match]


def explained(tier: str) -> set[str]:
    """Return the words that a table explains."""
    text = Path(__file__).with_name(f"{tier}.txt").read_text("utf-8")
    return set(re.findall(r"^#   ([a-z]+)  ", text, re.MULTILINE))


@dataclass
class Caller:
    """Somebody who calls an application in the test's own process, from one address."""

    app: Any
    base: str
    address: str = "192.0.2.7"
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(self.address, 1))
            async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
                return await client.request(method, path, **more)

        return self.runner.run(send())

    def knock(self, path: str) -> list[str]:
        """Open a WebSocket that says nothing and goes; return the kinds of what is answered."""
        events = [{"type": "websocket.connect"}]
        sent: list[str] = []

        async def receive() -> Any:
            return events.pop(0) if events else {"type": "websocket.disconnect", "code": 1000}

        async def send(event: Any) -> None:
            sent.append(event["type"])

        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "wss",
            "query_string": b"",
            "headers": [(b"host", httpx.URL(self.base).netloc)],
            "subprotocols": [],
            "client": (self.address, 1),
            "state": {},
        }
        self.runner.run(self.app(scope, receive, send))
        return sent


def code_of(response: httpx.Response) -> str:
    """Return the code of a refusal, on a page or for a program; empty where it is none."""
    if response.headers.get("content-type", "").startswith("application/json"):
        body = json.loads(response.content)
        return str(body["error"]["code"]) if isinstance(body, dict) and "error" in body else ""
    found = re.search(r"data-code=\"([\w-]+)\"", response.text)
    return found[1] if found else ""


def drained(limit: RateLimit, ask: Callable[[], httpx.Response]) -> None:
    """Prove that a request takes a token of a bucket, and is refused where none is left."""
    usual, limit.per_minute = limit.per_minute, 1
    limit._levels.clear()
    try:
        first, second = ask(), ask()
    finally:
        limit.per_minute = usual
        limit._levels.clear()
    assert code_of(first) != "rate-limited"
    assert (second.status_code, code_of(second)) == (429, "rate-limited")
    assert int(second.headers["retry-after"]) > 0


def drained_socket(limit: RateLimit, knock: Callable[[], list[str]]) -> None:
    """Prove the same of a WebSocket: it is refused before it is accepted."""
    usual, limit.per_minute = limit.per_minute, 1
    limit._levels.clear()
    try:
        first, second = knock(), knock()
    finally:
        limit.per_minute = usual
        limit._levels.clear()
    assert first[0] == "websocket.accept"
    assert second == ["websocket.close"]
