"""A real server process with TLS on a free port, and a client that signs in."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from gatehouse.local_estate import wait_for
from tests.community_server.bench import PASSWORD

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
"""A second is enough, but the machine may be busy."""


@dataclass
class Server:
    """One running server."""

    process: subprocess.Popen[str]
    url: str
    data: Path
    log: list[str] = field(default_factory=list)

    @property
    def ca(self) -> str:
        return (self.data / "ca.pem").read_text("ascii")

    def client(self, **headers: str) -> httpx.Client:
        context = ssl.create_default_context(cadata=self.ca)
        return httpx.Client(base_url=self.url, verify=context, headers=headers, timeout=30)


@contextmanager
def run_server(
    data: Path, *, database: str, models: Path, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start a server, wait until it is ready, and stop it in the end as a service would."""
    process = start(data, database=database, models=models, env=env)
    log: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: log.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready https://"), "".join(log)
        yield Server(process, line.split()[1], data, log)
    finally:
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0
        reader.join(5)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def start(
    data: Path,
    *,
    database: str,
    models: Path,
    env: Mapping[str, str] | None = None,
    temporary: Path | None = None,
) -> subprocess.Popen[str]:
    temporary = temporary or data.parent / "tmp"
    temporary.mkdir(exist_ok=True, parents=True)
    environment = os.environ | {
        # Where a leak into a temporary file would be found by the tests that look for one.
        "TMPDIR": str(temporary),
        "GATEHOUSE_SERVER_DATA": str(data),
        "GATEHOUSE_SERVER_DATABASE": database,
        "GATEHOUSE_SERVER_HOST": "127.0.0.1",
        "GATEHOUSE_SERVER_PORT": "0",
        "GATEHOUSE_MODELS": str(models),
        **(env or {}),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "gatehouse", "server", "run"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Desk:
    """A member of staff at the JSON API."""

    def __init__(self, server: Server) -> None:
        self.http = server.client()
        self._server = server

    def set_up(self) -> dict[str, Any]:
        code = (self._server.data / "setup-code").read_text("ascii").strip()
        body = {
            "code": code,
            "community_name": "Sunny Court",
            "username": "desk",
            "password": PASSWORD,
        }
        kit: dict[str, Any] = self.call("POST", "/api/v1/setup", body)
        return kit

    def switch_faces_on(self) -> None:
        """Sign the impact assessment, once signed in."""
        details = {"controller": "Sunny Property Ltd", "contact": "0755-1234567"}
        self.call("PUT", "/api/v1/privacy/details", details)
        self.call("POST", "/api/v1/privacy/assessments", {"name": "Lin Mei"})

    def sign_in(self) -> None:
        answer = self.call("POST", "/api/v1/session", {"username": "desk", "password": PASSWORD})
        self.http.headers["x-csrf-token"] = answer["csrf"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        response = self.http.request(method, path, json=body)
        if response.status_code == 403 and "proof-needed" in response.text:
            proof = self.http.post("/api/v1/session/proof", json={"password": PASSWORD})
            assert proof.is_success, proof.text
            response = self.http.request(method, path, json=body)
        assert response.is_success, (response.status_code, response.text)
        return response.json() if response.content else None

    def close(self) -> None:
        self.http.close()


__all__ = ["Desk", "Server", "run_server", "start", "wait_for"]
