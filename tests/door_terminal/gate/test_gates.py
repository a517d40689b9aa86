"""Each driver opens once for one order, or says that it did not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from door_terminal.errors import GateFailed, StartRefused
from door_terminal.gate import Opening, open_gate
from door_terminal.gate.http import HttpGate
from door_terminal.gate.simulated import SimulatedGate
from door_terminal.settings import Settings
from tests.support.small_disks import fill, small_disk

OPENING = Opening("e" * 32, 5.0)


class RelayBoard:
    """A real HTTP peer that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, str | None]] = []
        self.status = 200
        self.answering = threading.Event()
        self.answering.set()
        board = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                board.asked.append((self.command, self.path, body, self.headers.get("x-key")))
                board.answering.wait(5)
                self.send_response(board.status)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - the base class names them so

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the same
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def relay_board() -> Iterator[RelayBoard]:
    board = RelayBoard()
    thread = threading.Thread(target=board.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield board
    finally:
        board.answering.set()
        board.server.shutdown()
        board.server.server_close()
        thread.join()


def http_gate(url: str, **more: object) -> HttpGate:
    given = {"method": "POST", "body": "", "headers": {}, "timeout_s": 2.0} | more
    return HttpGate(url, **given)  # type: ignore[arg-type] # a mapping of mixed values


def test_each_simulated_opening_is_one_line(tmp_path: Path) -> None:
    gate = SimulatedGate(tmp_path / "gate.jsonl")
    gate.open(OPENING)
    gate.open(Opening("f" * 32, 3.0))
    lines = [json.loads(one) for one in (tmp_path / "gate.jsonl").read_text().splitlines()]
    assert [(one["entry"], one["seconds"]) for one in lines] == [("e" * 32, 5), ("f" * 32, 3)]


def test_a_simulated_gate_that_cannot_write_says_so(tmp_path: Path) -> None:
    with pytest.raises(GateFailed):
        SimulatedGate(tmp_path / "missing" / "gate.jsonl").open(OPENING)


def _open_often(gate: SimulatedGate, times: int) -> None:
    for _ in range(times):
        gate.open(OPENING)


def test_a_simulated_gate_on_a_full_disk_does_not_open_and_leaves_no_half_a_line(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        file = disk / "gate.jsonl"
        gate = SimulatedGate(file)
        gate.open(OPENING)
        size = file.stat().st_size
        fill(disk)
        # What is left of the file's own page takes some lines yet, and the beginning of one.
        with pytest.raises(GateFailed):
            _open_often(gate, 4096 // size + 1)
        for line in file.read_text().splitlines():
            assert json.loads(line)["entry"] == OPENING.entry


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_relay_board_is_asked_as_configured(method: str) -> None:
    with relay_board() as board:
        gate = http_gate(
            board.url + "/relay/1?pulse={seconds}",
            method=method,
            body="" if method == "GET" else '{"pulse": {seconds}}',
            headers={"X-Key": "k"},
        )
        gate.open(OPENING)
        body = b"" if method == "GET" else b'{"pulse": 5}'
        assert board.asked == [(method, "/relay/1?pulse=5", body, "k")]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_another_answer_is_a_failure_and_nothing_is_followed(status: int) -> None:
    with relay_board() as board:
        board.status = status
        with pytest.raises(GateFailed) as failed:
            http_gate(board.url).open(OPENING)
        assert failed.value.code == "gate-refused"
        assert len(board.asked) == 1


def test_a_board_that_does_not_answer_is_asked_once() -> None:
    with relay_board() as board:
        board.answering.clear()
        with pytest.raises(GateFailed) as failed:
            http_gate(board.url, timeout_s=0.2).open(OPENING)
        assert failed.value.code == "gate-unreachable"
        assert len(board.asked) == 1


def test_a_board_that_is_not_there_is_a_failure() -> None:
    with relay_board() as board:
        url = board.url
    with pytest.raises(GateFailed):
        http_gate(url).open(OPENING)


def test_an_order_that_would_come_late_is_dropped() -> None:
    with relay_board() as board:
        board.answering.clear()
        gate = http_gate(board.url, timeout_s=0.3)
        gate._lock.acquire()  # an opening before this one is still under way
        with pytest.raises(GateFailed) as failed:
            gate.open(OPENING)
        assert failed.value.code == "gate-busy"
        assert board.asked == []


def test_an_http_gate_without_address_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StartRefused):
        open_gate(Settings(gate="http", data=tmp_path))
