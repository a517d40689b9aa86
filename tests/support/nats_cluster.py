"""Real NATS servers of a test's own, as a JetStream cluster: started, killed and started again."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from gatehouse.local_estate import free_port, wait_for

MAX_PAYLOAD: Final = 8 << 20
"""As the docs tell operators: the largest envelope has 4 MiB and a little more."""
MEMORY: Final = "1GB"
"""What JetStream may hold on each broker; streams of tests hold far less."""


@dataclass
class Broker:
    """One NATS server."""

    name: str
    folder: Path
    program: str
    client: int = field(default_factory=free_port)
    route: int = field(default_factory=free_port)
    monitor: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def store(self) -> Path:
        """Where JetStream writes, to be searched for what must not be there."""
        return self.folder / "store"

    def configure(self, routes: list[int], settings: str) -> None:
        """Write its configuration file; routes are those of the whole cluster."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cluster = ""
        if len(routes) > 1:
            others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
            cluster = (
                f"cluster {{ name: test, listen: 127.0.0.1:{self.route}, routes: [{others}] }}\n"
            )
        (self.folder / "nats.conf").write_text(
            f"server_name: {self.name}\n"
            f"listen: 127.0.0.1:{self.client}\n"
            f"http: 127.0.0.1:{self.monitor}\n"
            f"max_payload: {MAX_PAYLOAD}\n"
            f'jetstream {{ store_dir: "{self.store}", max_memory_store: {MEMORY} }}\n'
            f"{cluster}{settings}"
        )

    def start(self) -> None:
        """Start it; `NatsCluster.settle` waits until it serves."""
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.folder / "nats.conf")], stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def ask(self, path: str) -> dict[str, Any] | None:
        """Ask its monitoring page; None while it does not answer."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.monitor}/{path}", timeout=5
            ) as answer:
                said: dict[str, Any] = json.load(answer)
                return said
        except (OSError, ValueError):
            return None


@dataclass
class NatsCluster:
    """So many brokers that know each other."""

    brokers: list[Broker]

    @property
    def address(self) -> str:
        """What a cloud is told: every broker's address."""
        return ",".join(f"nats://127.0.0.1:{one.client}" for one in self.brokers)

    def settle(self) -> None:
        """Wait until every broker that runs sees a leader and all others that run."""
        running = [one for one in self.brokers if one.process is not None]
        wait_for("the brokers", lambda: all(_is_settled(one, len(running)) for one in running))

    def start(self) -> None:
        """Start those that do not run."""
        for one in self.brokers:
            if one.process is None:
                one.start()
        self.settle()

    def kill(self) -> None:
        """End all of them at once: what is in memory alone is gone."""
        for one in self.brokers:
            one.kill()

    def files(self) -> list[Path]:
        """Every file that a broker has written."""
        return [path for one in self.brokers for path in one.folder.rglob("*") if path.is_file()]


def _is_settled(broker: Broker, count: int) -> bool:
    said = broker.ask("jsz") or {}
    if "memory" not in said:
        return False
    cluster = said.get("meta_cluster")
    if cluster is None:
        return len(broker.ask("varz") or {}) > 0 and count == 1
    peers = (broker.ask("routez") or {}).get("num_routes", 0)
    return bool(cluster.get("leader")) and peers >= count - 1


@contextmanager
def nats_cluster(folder: Path, size: int = 3, settings: str = "") -> Iterator[NatsCluster]:
    """Run so many brokers; skip the test where there is no nats-server."""
    program = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("nats-server is not installed")
    cluster = NatsCluster([Broker(f"n{n}", folder / f"n{n}", program) for n in range(size)])
    for one in cluster.brokers:
        one.configure([other.route for other in cluster.brokers], settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.kill()
