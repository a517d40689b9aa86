"""Whether memory can reach a disk is said in plain words, of what runs here as well."""

import fcntl
import os
from pathlib import Path

import pytest

from gatehouse import memory_findings as findings
from gatehouse.finding import Finding
from tier_kit.process_memory import Guarded


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(tmp_path / "server"))
    monkeypatch.setenv("GATEHOUSE_DOOR_DATA", str(tmp_path / "door"))
    monkeypatch.setattr(findings, "has_swap", lambda: True)
    monkeypatch.setattr(findings, "lock_obstacle", lambda _=None: "limit")
    return tmp_path


def test_a_limit_of_locked_memory_is_named_with_the_line_that_takes_it_away() -> None:
    (found,) = findings.memory_findings()
    assert found.state == "warning"
    assert "may be written to the swap" in found.sentence
    assert "LimitMEMLOCK=infinity" in found.remedy


def test_without_a_swap_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "has_swap", lambda: False)
    (found,) = findings.memory_findings()
    assert found.state == "fine"


def test_what_holds_a_tiers_lock_is_looked_at_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "server").mkdir()
    with (folder / "server" / "server.lock").open("w") as lock:
        assert findings.holder_of(folder / "server" / "server.lock") is None
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert findings.holder_of(folder / "server" / "server.lock") == os.getpid()
        assert _said(monkeypatch, Guarded(dumps_off=True, locked=4096)).state == "fine"
        assert "core dump" in _said(monkeypatch, Guarded(dumps_off=False, locked=0)).sentence
        assert _said(monkeypatch, Guarded(dumps_off=True, locked=0)).state == "warning"


def _said(monkeypatch: pytest.MonkeyPatch, guarded: Guarded) -> Finding:
    seen: list[int] = []

    def look_at(pid: int) -> Guarded:
        seen.append(pid)
        return guarded

    monkeypatch.setattr(findings, "look_at", look_at)
    _, of_server = findings.memory_findings()
    assert seen == [os.getpid()]
    assert of_server.subject == "memory of the server"
    return of_server
