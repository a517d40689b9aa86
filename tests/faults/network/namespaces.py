"""Machines with a network of their own, on wires whose weather a test makes.

A namespace has no name and lives as long as this process and what it started there: nothing is
left behind, however a test ends. The wires are carried by this process too, packet by packet,
which needs no queueing discipline of the kernel's and draws its misfortunes from a seed.
"""

import ctypes
import fcntl
import heapq
import os
import select
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_NETWORK: Final = 0x40000000  # CLONE_NEWNET
_SET_INTERFACE: Final = 0x400454CA  # TUNSETIFF
_IP_PACKETS: Final = 0x0001 | 0x1000  # IFF_TUN, IFF_NO_PI
_TUN: Final = Path("/dev/net/tun")
_PACKET: Final = 65_536
_THREADS: Final = 8


def why_not() -> str:
    """Say what this machine lacks for networks of its own; empty when nothing."""
    if os.geteuid() != 0:
        return "networks of their own need root"
    if shutil.which("ip") is None or not _TUN.exists():
        return "networks of their own need iproute2 and /dev/net/tun"
    try:
        with Machine() as one, Machine() as other, Wire(one, other, 250, Random(0)):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"networks of their own cannot be made here: {error}"


class Machine:
    """A network namespace; what is run in it, and what that starts, has no other network."""

    def __init__(self) -> None:
        with ThreadPoolExecutor(1) as maker:
            self._handle = maker.submit(_new_network).result()
        self._threads = ThreadPoolExecutor(_THREADS, initializer=_enter, initargs=(self._handle,))
        self.run(_ip, "link", "set", "lo", "up")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        os.close(self._handle)

    def run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Do something on this machine: its sockets and processes belong there."""
        return self._threads.submit(work, *args, **named).result()


@dataclass(frozen=True)
class Weather:
    """What befalls packets, each way.

    Attributes:
        loss: Share of packets that are lost.
        delay_s: How long each takes at least.
        jitter_s: How much longer at most: whoever is lucky overtakes.
        doubled: Share of packets that come twice.
    """

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    doubled: float = 0.0


CLEAR: Final = Weather()
SWALLOWING: Final = Weather(loss=1.0)
"""A line that looks well and lets nothing through."""


class Wire:
    """A line between two machines: the first has the address ending in 1, the other in 2."""

    def __init__(self, one: Machine, other: Machine, number: int, chance: Random) -> None:
        self._chance = chance
        self._machines = (one, other)
        self._name = f"wire{number}"
        self.addresses = (f"10.77.{number}.1", f"10.77.{number}.2")
        self.weather = CLEAR
        self.lost = self.doubled = self.carried = 0
        there, back = self.addresses
        first = one.run(_interface, self._name, there, back)
        self._ends = (first, other.run(_interface, self._name, back, there))
        self._stopping, self._stop = os.pipe()
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._stop)
        self._thread.join()
        for one in (self._stopping, *self._ends):
            os.close(one)

    def pull(self) -> None:
        """Take the line away at both ends, so that both systems see it."""
        self._set("down")

    def plug(self) -> None:
        """Give it back."""
        self._set("up")

    def _set(self, state: str) -> None:
        for one in self._machines:
            one.run(_ip, "link", "set", self._name, state)

    def _carry(self) -> None:
        first, second = self._ends
        other = {first: second, second: first}
        while True:
            due = self._under_way[0][0] - time.monotonic() if self._under_way else None
            ready, _, _ = select.select(
                [*self._ends, self._stopping], [], [], None if due is None else max(0.0, due)
            )
            if self._stopping in ready:
                return
            for end in ready:
                with suppress(OSError):  # an end that is down has nothing
                    self._take(os.read(end, _PACKET), other[end])
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(self._under_way)
                with suppress(OSError):  # nobody is there
                    os.write(end, packet)

    def _take(self, packet: bytes, end: int) -> None:
        weather, chance = self.weather, self._chance
        if chance.random() < weather.loss:
            self.lost += 1
            return
        copies = 2 if chance.random() < weather.doubled else 1
        self.doubled += copies - 1
        for _ in range(copies):
            self.carried += 1
            due = time.monotonic() + weather.delay_s + chance.random() * weather.jitter_s
            heapq.heappush(self._under_way, (due, self.carried, end, packet))


def _new_network() -> int:
    if _LIBC.unshare(_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(handle: int) -> None:
    if _LIBC.setns(handle, _NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _interface(name: str, address: str, peer: str) -> int:
    handle = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(handle, _SET_INTERFACE, struct.pack("16sH22x", name.encode(), _IP_PACKETS))
    _ip("address", "add", address, "peer", peer, "dev", name)
    _ip("link", "set", name, "up")
    return handle


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
