"""`gatehouse server …` beside running it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from community_server.command import server
from community_server.instance_lock import InstanceLock


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(tmp_path / "server"))
    return tmp_path / "server"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(server, arguments)


def test_a_restored_database_begins_a_new_epoch() -> None:
    first, second = (int(call("restored").output.split()[-1].rstrip(".")) for _ in range(2))
    assert first < second


def test_a_running_server_is_not_declared_restored(data: Path) -> None:
    call("restored")
    lock = InstanceLock(data)
    try:
        refused = call("restored")
    finally:
        lock.release()
    assert refused.exit_code == 1
    assert "Error:" in refused.output
