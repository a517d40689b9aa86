"""What the network tests do to an estate's surroundings is really done."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults.network.clocks import Clocks
from tests.faults.network.namespaces import CLEAR, SWALLOWING, Machine, Weather, Wire, why_not

COUNT = 150  # they fit the listener's buffer
QUIET_S = 0.5


class Pair:
    """Two machines on a wire, one of which counts what the other sends."""

    def __init__(self, one: Machine, other: Machine, wire: Wire) -> None:
        self.one, self.other, self.wire = one, other, wire

    def arrived(self, weather: Weather) -> list[int]:
        """Send numbered datagrams and return those that came, in order."""
        self.wire.weather = weather
        there, back = self.wire.addresses
        with self.other.run(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind((back, 0))
            listener.settimeout(QUIET_S)
            self.one.run(_send, listener.getsockname(), there)
            return list(_received(listener))


def _send(to: tuple[str, int], source: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        for number in range(COUNT):
            sender.sendto(str(number).encode(), to)
            time.sleep(0.0005)


def _received(listener: socket.socket) -> Iterator[int]:
    while True:
        try:
            yield int(listener.recv(64))
        except TimeoutError:
            return


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    if reason := why_not():
        pytest.skip(reason)
    with Machine() as one, Machine() as other, Wire(one, other, 3, Random(1)) as wire:
        yield Pair(one, other, wire)


def test_fair_weather_carries_everything_once_and_in_order(pair: Pair) -> None:
    assert pair.arrived(CLEAR) == list(range(COUNT))


def test_bad_weather_loses_doubles_and_overtakes(pair: Pair) -> None:
    lossy = pair.arrived(Weather(loss=0.3))
    assert 0.5 * COUNT < len(lossy) < 0.9 * COUNT
    assert lossy == sorted(set(lossy))
    doubling = pair.arrived(Weather(doubled=0.3))
    assert set(doubling) == set(range(COUNT))
    assert len(doubling) > 1.1 * COUNT
    shaken = pair.arrived(Weather(jitter_s=0.05))
    assert sorted(shaken) == list(range(COUNT))
    assert shaken != sorted(shaken)


def test_a_line_swallows_everything_or_is_gone_and_both_end(pair: Pair) -> None:
    assert pair.arrived(SWALLOWING) == []
    pair.wire.pull()
    with pytest.raises(OSError, match="unreachable"):
        pair.arrived(CLEAR)
    pair.wire.plug()
    assert len(pair.arrived(CLEAR)) == COUNT


def test_machines_see_nothing_of_each_other_but_by_their_wire(pair: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here, pytest.raises(ConnectionRefusedError):
        pair.one.run(socket.create_connection, here.getsockname(), 1)


def test_a_doors_clock_is_where_the_test_puts_it_and_a_boot_begins_anew(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path / "clocks")
    clocks.set("door", 3600)

    def asked(tier: str) -> tuple[str, float, float]:
        code = (
            "from door_terminal.clock import Machine; m = Machine.here();"
            "print(m.boot_id, m.since_boot(), m.wall())"
        )
        said = subprocess.run(
            [sys.executable, "-c", code, tier],
            env=clocks.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        boot, since_boot, wall = said.stdout.split()
        return boot, float(since_boot), float(wall)

    boot, since_boot, wall = asked("door")
    assert wall - time.time() == pytest.approx(3600, abs=60)
    assert since_boot == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)
    clocks.reboot("door")
    again, since_then, _ = asked("door")
    assert again != boot
    assert since_then < 60
    _, _, elsewhere = asked("nobody")
    assert elsewhere == pytest.approx(time.time(), abs=60)
