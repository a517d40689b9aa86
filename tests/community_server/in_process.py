"""The whole application without a socket: a member of staff's browser in the test's own process."""

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx

from community_server.app import make_app
from community_server.estate import Estate
from tests.community_server.bench import PASSWORD


class InProcess:
    """Somebody at the desk of an estate, signed in, or a program by its token."""

    def __init__(self, estate: Estate, username: str = "desk", *, token: str = "") -> None:
        self.estate = estate
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app(estate)),
            base_url="https://desk.example",
            headers={"accept-language": "en"},
            follow_redirects=True,
        )
        if token:
            self._http.headers["authorization"] = f"Bearer {token}"
            return
        credentials = {"username": username, "password": PASSWORD}
        self.csrf: str = self.send("session", credentials).json()["csrf"]
        self._http.headers["x-csrf-token"] = self.csrf

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()

    def get(self, path: str, *, language: str = "en", **query: str) -> httpx.Response:
        headers = {"accept-language": language}
        address = httpx.URL(path).copy_merge_params(query) if query else path
        return self._runner.run(self._http.get(address, headers=headers))

    def call(self, path: str, **query: str) -> Any:
        """Read from the JSON API, below its prefix."""
        response = self.get(f"/api/v1/{path}", **query)
        assert response.is_success, (response.status_code, response.text)
        return response.json()

    def send(self, path: str, body: object, method: str = "POST") -> httpx.Response:
        return self._runner.run(self._http.request(method, f"/api/v1/{path}", json=body))

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send one of the console's forms; the answer is where it leads to."""
        return self._runner.run(self._http.post(path, data={"csrf": self.csrf, **fields}))

    def upload(self, path: str, data: bytes, **fields: str) -> httpx.Response:
        """Send one of the console's forms with a file, or a file to the JSON API."""
        sent = {"csrf": self.csrf, **fields}
        files = {"file": ("people", data)}
        return self._runner.run(self._http.post(path, data=sent, files=files))


def code(response: httpx.Response) -> str:
    """Return the code of a refusal."""
    assert not response.is_success, response.text
    return str(response.json()["error"]["code"])
