"""An estate with two servers on two PostgreSQL clusters: one in service, one that stands by."""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from gatehouse.local_estate import LocalEstate, run_command, wait_for
from gatehouse.staff_client import StaffClient
from tests.support.clusters import Cluster, clusters


@dataclass
class Machine:
    """One server's machine: its cluster, and an estate's folder that holds a server alone."""

    estate: LocalEstate
    cluster: Cluster

    @property
    def address(self) -> str:
        return self.estate.server_address

    def power_off(self) -> None:
        """Server and database go at once, without a word."""
        self.estate.server.kill()
        self.cluster.kill()

    def freeze(self) -> None:
        """Server and database hang: their ports are open, and nobody answers."""
        self._signal(signal.SIGSTOP)
        self.cluster.freeze()

    def thaw(self) -> None:
        """Both go on as if nothing had happened."""
        self.cluster.thaw()
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        process = self.estate.server.process
        if process is not None:
            os.killpg(process.pid, number)

    def power_on(self) -> None:
        self.cluster.start()
        self.estate.server.start()

    def stand_by_for(self, other: "Machine") -> None:
        """What docs/operations.md tells the installer to do on the standby's machine."""
        self.cluster.follow(other.cluster)
        secret = {"GATEHOUSE_RECOVERY_SECRET": other.estate.recovery_secret}
        where = ["--primary", other.address, "--address", self.address]
        run_command(["server", "standby", *where], self.estate.server_environment | secret)
        self.estate.recovery_secret = other.estate.recovery_secret
        self.estate.server.start()
        self.estate.await_health(self.estate.server, self.address)

    def promote(self) -> None:
        run_command(["server", "promote"], self.estate.server_environment)

    def ask(self, path: str) -> httpx.Response:
        """Ask as a browser does that trusts the estate's authority."""
        authority = (self.estate.folder / "server" / "ca.pem").read_text()
        trust = ssl.create_default_context(cadata=authority)
        return httpx.get(f"{self.address}{path}", verify=trust, trust_env=False, timeout=30)

    def hindrances(self) -> list[str]:
        """Why it says that it is not ready; nothing where it is."""
        found: list[str] = self.ask("/health/ready").json()["hindrances"]
        return found

    def is_in_service(self) -> bool:
        """Say whether it serves, ledger and all."""
        return self._hindered_by([])

    def is_superseded(self) -> bool:
        """Say whether it has noticed that the other serves."""
        return self._hindered_by(["superseded"])

    def shows_pages(self) -> bool:
        """Say whether the console can be signed in to."""
        try:
            return self.ask("/login").is_success
        except (httpx.TransportError, FileNotFoundError):
            return False

    def _hindered_by(self, wanted: list[str]) -> bool:
        try:
            return self.hindrances() == wanted
        except (httpx.TransportError, FileNotFoundError):
            return False

    def openings_by_pin(self) -> list[str]:
        """Return the ids of all openings by PIN that its database has."""
        found = self.cluster.execute(
            "SELECT array_agg(entry) FROM entries WHERE granted AND credential = 'pin'"
        )
        return list(found or [])

    def generations(self) -> set[int]:
        """Return which erasure keys its vault holds in use, as the file's plain part says."""
        vault = json.loads((self.estate.folder / "server" / "vault" / "erasure.key").read_text())
        return {entry["generation"] for entry in vault["keys"]}

    def findings(self) -> set[str]:
        """Return the codes of what `gatehouse doctor` says on this machine."""
        told = subprocess.run(
            [sys.executable, "-m", "gatehouse", "doctor", "--json"],
            env={**os.environ, **self.estate.server_environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,  # it ends with 1 where something is a problem
        )
        return {finding["code"] for finding in json.loads(told.stdout)}

    def said(self) -> str:
        """Return its log."""
        return self.estate.server.log.read_text("utf-8")


@dataclass
class TwoServers:
    """The estate: `first` begins in service, `second` stands by."""

    estate: LocalEstate
    """Where the cloud and the doors run, and the server that was first."""
    first: Machine
    second: Machine
    doors: list[str] = field(default_factory=list)

    def add_doors(self, count: int) -> None:
        for number in range(count):
            self.doors.append(self.estate.add_door(f"Gate {number}", ""))
        for door in self.doors:
            self.estate.await_door(door)

    def await_addresses(self) -> None:
        """Wait until all doors know where both servers are."""
        both = {self.first.address, self.second.address}

        def know() -> bool:
            files = [self.estate.folder / f"door-{one}" / "addresses.json" for one in self.doors]
            return all(one.exists() and both == set(json.loads(one.read_text())) for one in files)

        wait_for("all doors to know both servers' addresses", know)

    def enter(self, door: str, unit: str, pin: str) -> bool:
        """Type a PIN at a door, as at its pad; say whether it opened."""
        port = self.estate.door_ports[door]
        address = f"http://127.0.0.1:{port}/pin"
        answer = httpx.post(address, json={"unit": unit, "pin": pin}, timeout=30, trust_env=False)
        return bool(answer.raise_for_status().json()["granted"])

    def door_states(self, staff: StaffClient) -> dict[str, Mapping[str, Any]]:
        return {row["door"]: row for row in staff.call("GET", "doors")}

    def all_doors_at(self, machine: Machine) -> bool:
        """Say whether every door's link is up at a server."""
        try:
            with machine.estate.staff() as staff:
                return all(row["connected"] for row in self.door_states(staff).values())
        except httpx.TransportError:
            return False


@dataclass
class Traffic:
    """PINs typed at all doors, one after another, until told to stop; counts what opened."""

    estate: TwoServers
    unit: str
    pin: str
    every_s: float = 0.2
    entries: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        for door in self.estate.doors:
            thread = threading.Thread(target=self._type_at, args=(door,))
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _type_at(self, door: str) -> None:
        while not self._over.wait(self.every_s):
            if self.estate.enter(door, self.unit, self.pin):
                with self._lock:
                    self.entries += 1


@contextmanager
def two_servers(folder: Path) -> Iterator[TwoServers]:
    """Yield an estate that is set up, with the second server standing by and no doors yet."""
    with clusters(2) as (one, other):
        one.make()
        estate = LocalEstate(folder / "estate", server_database=one.url)
        standby = LocalEstate(
            folder / "standby", server_database=other.url, password=estate.password
        )
        with estate, standby:
            estate.start_cloud()
            estate.start_server()
            estate.set_up("Sunny Court")
            pair = TwoServers(estate, Machine(estate, one), Machine(standby, other))
            pair.second.stand_by_for(pair.first)
            yield pair
