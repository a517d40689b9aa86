"""systemd hears that a door serves, lives and stops, over a real datagram socket."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from door_terminal import controller
from door_terminal.controller import STUCK_S
from door_terminal.service_manager import ALIVE, READY, STOPPING, ServiceManager
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import running_door
from tests.door_terminal.screen.test_app import opened

SOON_S = 20.0


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def systemd(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        listening.settimeout(SOON_S)
        yield listening


def heard(systemd: socket.socket) -> str:
    return systemd.recv(1000).decode()


def silent(systemd: socket.socket) -> bool:
    """Say whether nothing comes for longer than a watchdog would wait."""
    systemd.settimeout(1.5)
    try:
        heard(systemd)
    except TimeoutError:
        return True
    return False


def test_a_door_says_that_it_serves_lives_and_stops_and_falls_silent_when_frozen(
    systemd: socket.socket,
    address: str,
    estate: Estate,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del estate
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "900000")
    with running_door(data, "--camera", "0") as door:
        first = [heard(systemd) for _ in range(4)]
        assert set(first) == {READY, ALIVE}
        door.process.send_signal(signal.SIGSTOP)
        eventually(lambda: silent(systemd))
        door.process.send_signal(signal.SIGCONT)
        systemd.settimeout(SOON_S)
        assert heard(systemd) == ALIVE
        eventually(lambda: door.state()["vision_starts"])
        # A child that spoke in the controller's name could hide that it is dead.
        assert "NOTIFY_SOCKET" not in door.vision().environ()
        assert door.stop() == 0
        last = heard(systemd)
        while last == ALIVE:
            last = heard(systemd)
        assert last == STOPPING


def test_a_door_whose_housekeeping_hangs_is_not_called_alive(
    systemd: socket.socket, address: str, tmp_path: Path
) -> None:
    manager = ServiceManager(address, 30_000)
    with opened(tmp_path) as terminal:
        terminal.kept_at = time.monotonic() - STUCK_S
        systemd.settimeout(0.2)

        async def for_a_while() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(controller._stay_alive(terminal, manager), 0.1)

        asyncio.run(for_a_while())
        with pytest.raises(TimeoutError):
            heard(systemd)
        terminal.kept_at = time.monotonic()
        asyncio.run(for_a_while())
        assert heard(systemd) == ALIVE


def test_what_is_not_for_child_processes_is_taken_out_of_the_environment(address: str) -> None:
    environment = {
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    assert ServiceManager.take_over(environment).beat_s == 20
    assert environment == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "60000000"},
        {"NOTIFY_SOCKET": "/nowhere"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"},
    ],
)
def test_a_door_that_nobody_watches_or_whose_manager_is_gone_goes_on(
    environment: dict[str, str],
) -> None:
    manager = ServiceManager.take_over(environment)
    assert manager.beat_s is None
    manager.tell(READY)


def test_an_abstract_socket_is_understood(tmp_path: Path) -> None:
    name = f"gatehouse-{tmp_path.name}-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(SOON_S)
        ServiceManager("@" + name, 0).tell(READY, ALIVE)
        assert heard(listening).splitlines() == [READY, ALIVE]
