"""A lockdown between a real server and real doors: heard, kept, confirmed, ended, not forgotten."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gatehouse.local_estate import free_port
from tests.community_server.bench import PASSWORD
from tests.community_server.server_process import Desk, run_server
from tests.door_terminal.estate import eventually
from tests.door_terminal.processes import Door, gatehouse, start_door
from tier_link.store import LinkStore, open_database

pytestmark = pytest.mark.long


@dataclass
class Estate:
    """A server that may be stopped and started again at its address, and its doors."""

    folder: Path
    models: Path
    port: int

    @property
    def data(self) -> Path:
        return self.folder / "server" / "data"

    @contextmanager
    def serving(self) -> Iterator[Desk]:
        env = {"GATEHOUSE_SERVER_PORT": str(self.port)}
        with run_server(self.data, database="", models=self.models, env=env) as server:
            desk = Desk(server)
            if (self.data / "setup-code").exists():
                desk.set_up()
            desk.sign_in()
            yield desk
            desk.close()

    def pair(self, desk: Desk, name: str) -> tuple[str, Path]:
        door = desk.call("POST", "/api/v1/doors", {"name": name})["door"]
        code = desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"]
        data = self.folder / name / "data"
        paired = gatehouse(
            *("door", "pair", "--server", f"https://127.0.0.1:{self.port}"),
            *("--code", code, "--data", str(data)),
            cwd=self.folder,
        )
        assert paired.returncode == 0, paired.stderr
        return door, data


@pytest.fixture
def estate(models: Path, tmp_path: Path) -> Estate:
    return Estate(tmp_path, models, free_port())


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def run(stack: ExitStack, data: Path) -> Door:
    door = start_door(data)

    def end() -> None:
        if door.process.poll() is None:
            door.kill()

    stack.callback(end)
    return door


def declare(desk: Desk, *, active: bool) -> int:
    body = {"active": active, "reason": "drill" if active else "", "password": PASSWORD}
    number: int = desk.call("POST", "/api/v1/lockdown", body)["number"]
    return number


def states(desk: Desk) -> dict[str, str]:
    shown: dict[str, Any] = desk.call("GET", "/api/v1/lockdown")
    return {one["door"]: one["state"] for one in shown["doors"]}


def follows(desk: Desk, door: str, state: str) -> None:
    eventually(lambda: states(desk)[door] == state)


def test_doors_hear_keep_and_confirm_a_lockdown_over_restarts_of_either_side(
    estate: Estate, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    with estate.serving() as desk:
        north, north_data = estate.pair(desk, "north")
        south, south_data = estate.pair(desk, "south")
        door, other = run(stack, north_data), run(stack, south_data)
        eventually(lambda: door.state()["configured"] and other.state()["configured"])
        other.kill()
        eventually(lambda: not connected(desk, south))
        began = time.monotonic()
        assert declare(desk, active=True) == 1
        eventually(lambda: door.state()["locked_down"])
        took = time.monotonic() - began
        with capsys.disabled():
            print(f"\nlockdown at a connected door after {took * 1000:.0f} ms")
        follows(desk, north, "locked")
        assert states(desk)[south] == "not-heard"
        refused = door.pin("1-101", "123456")
        assert refused["reason"] == "locked-down"
    door.kill()
    door, other = run(stack, north_data), run(stack, south_data)
    assert door.state()["locked_down"]
    assert not other.state()["locked_down"]  # it has not heard: the server is away
    with estate.serving() as desk:
        eventually(lambda: other.state()["locked_down"])
        for one in (north, south):
            follows(desk, one, "locked")
        other.kill()
        follows(desk, south, "locked-away")
        assert declare(desk, active=False) == 2
        eventually(lambda: not door.state()["locked_down"])
        follows(desk, north, "open")
        follows(desk, south, "still-locked-away")
        run(stack, south_data)
        follows(desk, south, "open")


@pytest.mark.soak  # the bad networks put a server back in the quick suite
def test_a_server_restored_from_before_the_lockdown_releases_nobody(
    estate: Estate, stack: ExitStack
) -> None:
    backup = estate.folder / "backup"
    with estate.serving() as desk:
        north, data = estate.pair(desk, "north")
        door = run(stack, data)
        eventually(lambda: door.state()["configured"])
    shutil.copytree(estate.data, backup)
    with estate.serving() as desk:
        eventually(lambda: door.state()["link"])
        declare(desk, active=True)
        follows(desk, north, "locked")
    shutil.rmtree(estate.data)
    shutil.copytree(backup, estate.data)
    engine = open_database(f"sqlite:///{estate.data / 'server.sqlite'}")
    LinkStore(engine, keep_acknowledged=timedelta(0)).renew_epoch()
    engine.dispose()
    with estate.serving() as desk:
        eventually(lambda: desk.call("GET", "/api/v1/lockdown")["active"], within=60)
        shown = desk.call("GET", "/api/v1/lockdown")
        assert (shown["number"], shown["kept"]) == (2, True)
        follows(desk, north, "locked")
        assert door.state()["locked_down"]
        assert declare(desk, active=False) == 3
        follows(desk, north, "open")


def connected(desk: Desk, door: str) -> bool:
    rows = {one["door"]: one for one in desk.call("GET", "/api/v1/doors")}
    return bool(rows[door]["connected"])
