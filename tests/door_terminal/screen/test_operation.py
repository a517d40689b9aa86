"""A unit tells an agent of its own whether it can decide, and its figures."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from door_terminal.identity import Pairing
from door_terminal.screen.app import build_app
from door_terminal.settings import Settings
from door_terminal.terminal import Terminal
from tests.door_terminal.samples import configured

PORT = 8480


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    pairing = Pairing(
        "https://127.0.0.1:9", "0d" * 16, "court", public, key.private_bytes_raw(), ""
    )
    terminal = Terminal(Settings(data=tmp_path / "door"), pairing)
    yield terminal
    terminal.close()


def ask(terminal: Terminal, path: str, host: str = f"127.0.0.1:{PORT}") -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(terminal, PORT))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path)

    return asyncio.run(send())


def test_a_door_is_ready_once_it_was_configured_whatever_its_link_does(terminal: Terminal) -> None:
    answer = ask(terminal, "/health/ready")
    assert (answer.status_code, answer.json()["hindrances"]) == (503, ["not-configured"])
    assert ask(terminal, "/health/live").status_code == 200
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured())
    answer = ask(terminal, "/health/ready")
    assert (answer.status_code, answer.json()["hindrances"]) == (200, [])
    assert "link-down" in answer.json()["troubles"]


def test_its_figures_are_for_its_own_programs_alone(terminal: Terminal) -> None:
    text = ask(terminal, "/metrics").text
    for line in ("gatehouse_link_connected 0.0", "gatehouse_unsent_entries 0.0"):
        assert line in text
    assert ask(terminal, "/metrics", host="door.example").status_code == 421
